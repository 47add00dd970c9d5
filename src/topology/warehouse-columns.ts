import { type Column, snakeCase } from '../model/column.js'
import type { WarehouseSinkNode } from './node.js'
import { type FieldShape, tableOf, tableShape, WINDOW_COLUMNS } from './shape.js'

/** A column of a warehouse table, and what it is filled from. */
export interface WarehouseColumn {
  /** Name before renaming, as `sortKey`, `distKey` and `rename` use it: snake_case of the field. */
  readonly original: string
  /** Name in the table. */
  readonly name: string
  readonly part: 'key' | 'window' | 'measure'
  readonly field: FieldShape
  /** Longest value in UTF-8 bytes, where the sink limits it. */
  readonly maxBytes?: number
}

/**
 * The columns of a warehouse table in their order: key, window, measures; undefined where the types of its key or of its
 * value are unknown. A field of a reduce that has the name of a key column is left out, since the key column holds it.
 * @throws MillraceError INVALID_TOPOLOGY when a measure does not take the type of its input.
 */
export function warehouseColumns(node: WarehouseSinkNode): readonly WarehouseColumn[] | undefined {
  const table = tableOf(node)
  if (table === undefined) return undefined
  const { key, windowed, measures } = tableShape(table)
  if (key === undefined || measures === undefined) return undefined
  const keyNames = new Set(table.kind === 'reduce' ? key.map(field => field.name) : [])
  const column = (part: WarehouseColumn['part']) => (field: FieldShape) => {
    const original = snakeCase(field.name)
    const maxBytes = node.maxBytes?.[original] ?? field.maxBytes
    return { original, name: node.rename[original] ?? original, part, field, ...(maxBytes && { maxBytes }) }
  }
  return [
    ...key.map(column('key')),
    ...(windowed ? WINDOW_COLUMNS.map(column('window')) : []),
    ...measures.filter(field => !keyNames.has(field.name)).map(column('measure')),
  ]
}

/** The column as a warehouse creates it. What no column holds is kept as text; validation refuses it. */
export function columnOf({ name, field, maxBytes }: WarehouseColumn): Column {
  const type = field.type === 'other' ? 'text' : field.type
  return { name, type, nullable: field.nullable, ...(maxBytes && { maxBytes }) }
}

/** The columns that identify a row: those of the key and of the window. */
export function rowKey(columns: readonly WarehouseColumn[]): readonly WarehouseColumn[] {
  return columns.filter(({ part }) => part !== 'measure')
}
