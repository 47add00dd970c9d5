import type { Column, ColumnValue } from '../../model/column.js'
import type { Row, RowKey, TableSpec } from '../../ports/warehouse.js'
import { describeKey, keyColumns, keyOf } from '../row/row-key.js'
import { unstorable, unstorableKey } from '../row/unstorable.js'
import { bytesOf } from './redshift-type.js'

/** A row of COPY: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html */
const MAX_ROW_BYTES = 4 * 1024 * 1024

/** Four digits of a year, as all documented formats of timestamps have: r_DATEFORMAT_and_TIMEFORMAT_strings.html. */
const FIRST_TIMESTAMP = Date.parse('0001-01-01T00:00:00.000Z')
const LAST_TIMESTAMP = Date.parse('9999-12-31T23:59:59.999Z')

/** The smallest double with all its digits; Redshift refuses smaller ones as out of range. */
const MIN_NORMAL = 2 ** -1022

/** Why Redshift cannot store this row, naming the column and the row's key; undefined where it can. */
export function redshiftUnstorable(row: Row, table: TableSpec): string | undefined {
  const refused = unstorable(row, table)
  if (refused) return refused
  // Delimiters, and the quotes that double quotes in a text.
  let bytes = row.length * 3
  const inKey = new Set(table.key)
  for (const [index, column] of table.columns.entries()) {
    const value = row[index] as ColumnValue
    const reason = unstorableValue(value, column, inKey.has(column.name))
    if (reason) return described(reason, column, keyOf(row, table), table)
    bytes += loadedBytes(value)
  }
  if (bytes <= MAX_ROW_BYTES) return undefined
  return `a row of table "${table.name}" has ${bytes} bytes, more than a row of COPY may have: ${MAX_ROW_BYTES} (${describedKey(keyOf(row, table), table)})`
}

/** Why no row with this key can be stored; undefined where one can. */
export function redshiftUnstorableKey(key: RowKey, table: TableSpec): string | undefined {
  const refused = unstorableKey(key, table)
  if (refused) return refused
  for (const [index, column] of keyColumns(table).entries()) {
    const reason = unstorableValue(key[index] as ColumnValue, column, true)
    if (reason) return described(reason, column, key, table)
  }
  return undefined
}

function unstorableValue(value: ColumnValue, column: Column, inKey: boolean): string | undefined {
  if (typeof value === 'string') {
    const bytes = Buffer.byteLength(value)
    if (bytes > bytesOf(column)) return `holds ${bytes} bytes of text, more than its ${bytesOf(column)}`
    // https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html, "Significance of trailing blanks"
    if (inKey && value.endsWith(' ')) return 'is part of the key and ends with a blank, which Redshift ignores'
    return undefined
  }
  if (Buffer.isBuffer(value)) {
    return value.length > bytesOf(column) ? `holds ${value.length} bytes, more than its ${bytesOf(column)}` : undefined
  }
  if (value instanceof Date) {
    const time = value.getTime()
    if (time >= FIRST_TIMESTAMP && time <= LAST_TIMESTAMP) return undefined
    return `holds ${value.toISOString()}, which is outside the years 1 to 9999`
  }
  if (column.type !== 'double' || typeof value !== 'number' || value === 0) return undefined
  // What becomes of NaN and infinity in a load or a comparison stands on no page of Redshift's guide.
  if (!Number.isFinite(value)) return `holds ${value}, which Redshift does not promise to keep`
  return Math.abs(value) < MIN_NORMAL ? `holds ${value}, which is too small for DOUBLE PRECISION` : undefined
}

function loadedBytes(value: ColumnValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + value.split('"').length - 1
  if (Buffer.isBuffer(value)) return value.length * 2
  return 48
}

function described(reason: string, column: Column, key: RowKey, table: TableSpec): string {
  return `column "${column.name}" of table "${table.name}" ${reason} (${describedKey(key, table)})`
}

function describedKey(key: RowKey, table: TableSpec): string {
  return `row with ${describeKey(key, keyColumns(table))}`
}
