import { randomUUID } from 'node:crypto'
import type { Column, ColumnValue } from '../../model/column.js'
import { MillraceError } from '../../model/errors.js'
import type { Row, RowKey, TableSpec } from '../../ports/warehouse.js'
import { keyColumns, keyIdentity, keyOf } from '../row/row-key.js'

/** A table of the memory warehouse; rows are kept by column name, as tables gain columns. */
export class MemoryTable {
  /** Another one when a table is created anew. */
  readonly id = randomUUID()
  private readonly columns = new Map<string, Column>()
  private readonly key: readonly string[]
  private readonly rows = new Map<string, Readonly<Record<string, ColumnValue>>>()

  /** @throws MillraceError WAREHOUSE_TABLE when the table has no key, or one that is not among its columns. */
  constructor(spec: TableSpec) {
    for (const column of spec.columns) this.columns.set(column.name, column)
    this.key = keyColumns(spec).map(({ name }) => name)
  }

  /**
   * Adds the nullable columns of `spec` that are missing.
   * @throws MillraceError WAREHOUSE_TABLE with every difference that cannot be mended; then nothing is changed.
   */
  adopt(spec: TableSpec): void {
    const differences = this.differences(spec)
    if (differences.length > 0) {
      throw new MillraceError(
        'WAREHOUSE_TABLE',
        `Table "${spec.name}" of the memory warehouse does not fit the rows of its sink:\n` +
          `${differences.map(text => `  - ${text}`).join('\n')}\nGive the sink another table.`,
      )
    }
    for (const column of spec.columns) if (!this.columns.has(column.name)) this.columns.set(column.name, column)
  }

  private differences(spec: TableSpec): string[] {
    const differences: string[] = []
    for (const { name, type, nullable } of spec.columns) {
      const found = this.columns.get(name)
      if (!found) {
        if (!nullable) differences.push(`column "${name}" is missing and cannot be added, because it is not nullable`)
        continue
      }
      if (found.type !== type) differences.push(`column "${name}" has type ${found.type}, not ${type}`)
      if (!found.nullable && nullable) differences.push(`column "${name}" is NOT NULL, but its values may be null`)
    }
    for (const { name, nullable } of this.columns.values()) {
      if (nullable || spec.columns.some(column => column.name === name)) continue
      differences.push(`column "${name}" is not among the sink's columns and is NOT NULL`)
    }
    if (spec.key.length !== this.key.length || !spec.key.every(name => this.key.includes(name))) {
      differences.push(`its key is (${this.key.join(', ')}), not (${spec.key.join(', ')})`)
    }
    return differences
  }

  upsert(row: Row, spec: TableSpec): void {
    const identity = keyIdentity(keyOf(row, spec), keyColumns(spec))
    const values = spec.columns.map(({ name }, index) => [name, stored(row[index] ?? null)])
    this.rows.set(identity, { ...this.rows.get(identity), ...Object.fromEntries(values) })
  }

  has(row: Row, spec: TableSpec): boolean {
    return this.rows.has(keyIdentity(keyOf(row, spec), keyColumns(spec)))
  }

  /** Deletes the row of the same key. */
  deleteRow(row: Row, spec: TableSpec): void {
    this.delete(keyOf(row, spec), spec)
  }

  delete(key: RowKey, spec: TableSpec): void {
    this.rows.delete(keyIdentity(key, keyColumns(spec)))
  }

  /** Values of all rows as of now, in these columns. */
  *read(names: readonly string[]): Iterable<Row> {
    for (const row of [...this.rows.values()]) yield names.map(name => row[name] ?? null)
  }
}

/** A value as a database gives it back: a copy, and a bigint only where a number is not exact. */
function stored(value: ColumnValue): ColumnValue {
  if (value instanceof Date) return new Date(value)
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}
