import type { ColumnType, ColumnValue } from '../../model/column.js'

/** A column type's name in PostgreSQL, as `format_type` spells it. */
export const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  int: 'integer',
  long: 'bigint',
  decimal: 'numeric(38,0)',
  double: 'double precision',
  text: 'text',
  bool: 'boolean',
  timestamp: 'timestamp with time zone',
  bytes: 'bytea',
}

/**
 * A storable value as text that PostgreSQL casts to the column's type, the same under every DateStyle and time zone.
 * Values travel as text in both directions, because no driver's own conversion is exact for all of them.
 */
export function toSqlText(value: ColumnValue): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (value instanceof Date) return timestampText(value)
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`
  if (Object.is(value, -0)) return '-0'
  // A number beyond 2^53 prints rounded digits or an exponent; double columns take both, whole ones need the exact digits.
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e38
    ? BigInt(value).toString()
    : String(value)
}

/** ISO 8601 as PostgreSQL reads it: years over 9999 without a sign, years before 1 with BC. */
function timestampText(date: Date): string {
  const year = date.getUTCFullYear()
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0')
  const rest = date.toISOString().slice(-20)
  return `${shown}${rest}${year > 0 ? '' : ' BC'}`
}

/** SQL expression that reads a column as text which {@link fromSqlText} understands, whatever the session's settings. */
export function textExpression(column: string, type: ColumnType): string {
  if (type === 'timestamp') return `floor(extract(epoch FROM ${column}) * 1000)::text`
  if (type === 'bytes') return `encode(${column}, 'hex')`
  return `${column}::text`
}

/** The value of a column from the text of {@link textExpression}. Whole numbers beyond 2^53 become bigints. */
export function fromSqlText(text: string | null, type: ColumnType): ColumnValue {
  if (text === null) return null
  switch (type) {
    case 'text':
      return text
    case 'int':
    case 'double':
      return Number(text)
    case 'long':
    case 'decimal':
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)
    case 'bool':
      return text === 'true'
    case 'timestamp':
      return new Date(Number(text))
    case 'bytes':
      return Buffer.from(text, 'hex')
    default:
      return type satisfies never
  }
}
