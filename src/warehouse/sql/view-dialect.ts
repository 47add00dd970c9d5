import type { ColumnType } from '../../model/column.js'

/** How a database spells what the views of a table are made of. */
export interface ViewDialect {
  /** An identifier in quotes. */
  quote(name: string): string
  /** The column type's name. */
  typeName(type: ColumnType): string
  /** Start of the window of `size` ms, aligned to 1970 in UTC, that holds a timestamp. */
  windowStart(timestamp: string, size: number): string
  /** A timestamp and some ms. */
  plus(timestamp: string, milliseconds: number): string
  /** The smallest or largest value of a column: text in the order of its UTF-8 bytes, NaN above all numbers. */
  extreme(by: 'min' | 'max', column: string, type: ColumnType): string
}

/** A view: what it selects, in any order of its columns. */
export interface ViewDefinition {
  /** Without its schema. */
  readonly name: string
  readonly columns: readonly string[]
  select(columns: readonly string[]): string
}
