import type { ColumnType } from '../model/column.js'
import { MillraceError } from '../model/errors.js'

const INT_MAX = 2 ** 31 - 1
const LONG_MAX = 2n ** 63n - 1n
const DECIMAL_MAX = 10n ** 38n - 1n

const WANTED: Record<ColumnType, string> = {
  int: 'a whole number from -2147483648 to 2147483647',
  long: 'a whole number of 64 bits (a bigint where it is beyond 2^53)',
  decimal: 'a whole number of up to 38 digits (a bigint where it is beyond 2^53)',
  double: 'a number',
  text: 'text',
  bool: 'true or false',
  timestamp: 'a valid Date or whole ms since 1970',
  bytes: 'a Buffer',
}

/**
 * The value as a column of this type holds it: null for undefined, a Date for a timestamp in ms, otherwise the value itself.
 * @throws MillraceError USER_CODE when the type cannot hold it.
 */
export function checkValue(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'timestamp') return checkedDate(value)
  if (!holds(type, value)) throw unfit(type, value)
  return value
}

function holds(type: Exclude<ColumnType, 'timestamp'>, value: unknown): boolean {
  switch (type) {
    case 'int':
      return Number.isInteger(value) && (value as number) <= INT_MAX && (value as number) >= -INT_MAX - 1
    case 'long':
      return Number.isSafeInteger(value) || (typeof value === 'bigint' && value <= LONG_MAX && value >= -LONG_MAX - 1n)
    case 'decimal':
      return Number.isSafeInteger(value) || (typeof value === 'bigint' && value <= DECIMAL_MAX && value >= -DECIMAL_MAX)
    case 'double':
      return typeof value === 'number'
    case 'text':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'bytes':
      return Buffer.isBuffer(value)
    default:
      return type satisfies never
  }
}

function checkedDate(value: unknown): Date {
  const date = typeof value === 'number' && Number.isInteger(value) ? new Date(value) : value
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw unfit('timestamp', value)
  return date
}

function unfit(type: ColumnType, value: unknown): MillraceError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return new MillraceError(
    'USER_CODE',
    `An expression declared as ${type} answered ${shown}, but must answer ${WANTED[type]}, or null. ` +
      'Correct its function or declare another type.',
  )
}
