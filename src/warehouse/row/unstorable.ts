import type { Column, ColumnValue } from '../../model/column.js'
import type { Row, RowKey, TableSpec } from '../../ports/warehouse.js'
import { describeKey, keyColumns, keyOf } from './row-key.js'

/**
 * Largest size of a key in bytes. A B-tree of PostgreSQL refuses index entries over 2,704 bytes ("index row size exceeds
 * btree version 4 maximum"); the rest is for headers and alignment.
 */
const MAX_KEY_BYTES = 2_600

/** 4714-11-24 BC, the first timestamp of PostgreSQL; a Date ends before PostgreSQL's last one. */
const FIRST_TIMESTAMP = Date.UTC(-4713, 10, 24)

const MAX_INT = 2 ** 31
const MAX_LONG = 2n ** 63n
const MAX_DECIMAL = 10n ** 38n

/**
 * Why a warehouse cannot store this row, naming the column and the row's key; undefined where it can. A flush refuses such
 * a row, and would refuse it for ever, so it belongs among the dead letters.
 */
export function unstorable(row: Row, table: TableSpec): string | undefined {
  if (row.length !== table.columns.length) {
    return `a row of table "${table.name}" has ${row.length} values for ${table.columns.length} columns`
  }
  for (const [index, column] of table.columns.entries()) {
    const reason = unstorableValue(row[index] as ColumnValue, column)
    if (reason)
      return `column "${column.name}" of table "${table.name}" ${reason} (${describe(keyOf(row, table), table)})`
  }
  return oversizedKey(keyOf(row, table), table)
}

/** Why no row with this key can be stored; undefined where one can. */
export function unstorableKey(key: RowKey, table: TableSpec): string | undefined {
  const columns = keyColumns(table)
  if (key.length !== columns.length) {
    return `a key of table "${table.name}" has ${key.length} values for ${columns.length} columns`
  }
  for (const [index, column] of columns.entries()) {
    const reason = unstorableValue(key[index] as ColumnValue, column)
    if (reason) return `column "${column.name}" of table "${table.name}" ${reason} (${describe(key, table)})`
  }
  return oversizedKey(key, table)
}

function describe(key: RowKey, table: TableSpec): string {
  return `row with ${describeKey(key, keyColumns(table))}`
}

function oversizedKey(key: RowKey, table: TableSpec): string | undefined {
  let bytes = 0
  for (const value of key) {
    bytes += 8
    if (typeof value === 'string') bytes += Buffer.byteLength(value)
    else if (Buffer.isBuffer(value)) bytes += value.length
  }
  if (bytes <= MAX_KEY_BYTES) return undefined
  return `the key of a row of table "${table.name}" has ${bytes} bytes, more than an index holds: ${MAX_KEY_BYTES} (${describe(key, table)})`
}

function unstorableValue(value: ColumnValue, { type, nullable, maxBytes }: Column): string | undefined {
  if (value === null) return nullable ? undefined : 'is null, but not nullable'
  switch (type) {
    case 'int':
      if (typeof value !== 'number' || !Number.isInteger(value)) return `holds ${kindOf(value)}, not a whole number`
      return value >= -MAX_INT && value < MAX_INT ? undefined : `holds ${value}, which is beyond 32 bits`
    case 'long':
    case 'decimal': {
      const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
      if (!whole) return `holds ${kindOf(value)}, not a whole number`
      const exact = BigInt(value)
      if (type === 'long') return exact >= -MAX_LONG && exact < MAX_LONG ? undefined : `holds ${exact}, beyond 64 bits`
      return exact > -MAX_DECIMAL && exact < MAX_DECIMAL ? undefined : `holds ${exact}, which has over 38 digits`
    }
    case 'double':
      return typeof value === 'number' ? undefined : `holds ${kindOf(value)}, not a number`
    case 'bool':
      return typeof value === 'boolean' ? undefined : `holds ${kindOf(value)}, not true or false`
    case 'text':
      if (typeof value !== 'string') return `holds ${kindOf(value)}, not text`
      if (value.includes('\0')) return 'holds text with a NUL character, which PostgreSQL cannot store'
      if (/\p{Surrogate}/u.test(value)) return 'holds text with half of a surrogate pair, which is no Unicode'
      return maxBytes === undefined ? undefined : tooLong(Buffer.byteLength(value), maxBytes)
    case 'timestamp': {
      if (!(value instanceof Date)) return `holds ${kindOf(value)}, not a Date`
      const time = value.getTime()
      if (Number.isNaN(time)) return 'holds an invalid date'
      return time >= FIRST_TIMESTAMP ? undefined : `holds ${value.toISOString()}, which is before 4714-11-24 BC`
    }
    case 'bytes':
      if (!Buffer.isBuffer(value)) return `holds ${kindOf(value)}, not bytes`
      return maxBytes === undefined ? undefined : tooLong(value.length, maxBytes)
    default:
      return type satisfies never
  }
}

function tooLong(bytes: number, maxBytes: number): string | undefined {
  return bytes > maxBytes ? `holds ${bytes} bytes, more than its maxBytes of ${maxBytes}` : undefined
}

function kindOf(value: ColumnValue): string {
  if (value instanceof Date) return 'a Date'
  if (Buffer.isBuffer(value)) return 'bytes'
  return typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
}
