import type { Column, ColumnType, ColumnValue } from '../../model/column.js'
import { MillraceError } from '../../model/errors.js'
import type { Row, RowKey, TableSpec } from '../../ports/warehouse.js'

/** Longest text of a value in a message. */
const SHOWN = 80

interface KeyShape {
  readonly positions: readonly number[]
  readonly columns: readonly Column[]
}

const shapes = new WeakMap<TableSpec, KeyShape>()

function shapeOf(table: TableSpec): KeyShape {
  const known = shapes.get(table)
  if (known) return known
  if (table.key.length === 0) {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `Table "${table.name}" has no key columns; a sink updates rows by their key.`,
    )
  }
  const positions = table.key.map(name => {
    const position = table.columns.findIndex(column => column.name === name)
    if (position >= 0) return position
    throw new MillraceError('WAREHOUSE_TABLE', `Table "${table.name}" has no column "${name}", which is in its key.`)
  })
  const shape = { positions, columns: positions.map(position => table.columns[position] as Column) }
  shapes.set(table, shape)
  return shape
}

/**
 * The key columns, in the order of `table.key`.
 * @throws MillraceError WAREHOUSE_TABLE when the table has no key, or one that is not among its columns.
 */
export function keyColumns(table: TableSpec): readonly Column[] {
  return shapeOf(table).columns
}

/** The key of a row. */
export function keyOf(row: Row, table: TableSpec): RowKey {
  return shapeOf(table).positions.map(position => row[position] ?? null)
}

/** A text that is equal for two keys exactly when a warehouse takes them for the same: NULL is equal to NULL. */
export function keyIdentity(key: RowKey, columns: readonly Column[]): string {
  return JSON.stringify(columns.map((column, index) => identity(key[index] ?? null, column.type)))
}

function identity(value: ColumnValue, type: ColumnType): string | null {
  if (value === null) return null
  if (value instanceof Date) return String(value.getTime())
  if (Buffer.isBuffer(value)) return value.toString('hex')
  // 2^60 as a number and as a bigint is one value.
  if (type === 'long' || type === 'decimal') return BigInt(value as number | bigint).toString()
  return String(value)
}

/** A key for messages: `quest_type = "DAILY", window_start = 2026-01-01T00:00:00.000Z`. */
export function describeKey(key: RowKey, columns: readonly Column[]): string {
  return columns.map((column, index) => `${column.name} = ${describeValue(key[index] ?? null)}`).join(', ')
}

function describeValue(value: ColumnValue): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : value.toISOString()
  if (Buffer.isBuffer(value)) return shorten(`0x${value.subarray(0, SHOWN).toString('hex')}`)
  return shorten(typeof value === 'string' ? JSON.stringify(value) : String(value))
}

function shorten(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`
}
