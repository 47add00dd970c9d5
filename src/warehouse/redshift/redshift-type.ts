import type { Column, ColumnType, ColumnValue } from '../../model/column.js'
import { fromSqlText, toSqlText } from '../sql/sql-type.js'

/**
 * Bytes of a text column that says nothing, as of Redshift's own VARCHAR: temporary tables take the declared length in
 * memory, so longer ones cost. https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-smallest-column-size.html
 */
const TEXT_BYTES = 256

/** Bytes of a VARBYTE that says nothing: https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html */
const BINARY_BYTES = 64_000

/** The longest that Redshift declares: r_Character_types.html and r_VARBYTE_type.html in the same guide. */
export const MAX_BYTES = { text: 65_535, bytes: 16_777_216 } as const

/** Longest text or bytes of a column, in bytes. */
export function bytesOf({ type, maxBytes }: Pick<Column, 'type' | 'maxBytes'>): number {
  return maxBytes ?? (type === 'bytes' ? BINARY_BYTES : TEXT_BYTES)
}

/**
 * A column's type as `format_type` spells it, bytes excepted. Times are TIMESTAMP in UTC: windows are UTC, and what a query
 * sees of a TIMESTAMPTZ depends on its session's time zone. https://docs.aws.amazon.com/redshift/latest/dg/r_Datetime_types.html
 */
export function redshiftType(column: Pick<Column, 'type' | 'maxBytes'>): string {
  switch (column.type) {
    case 'int':
      return 'integer'
    case 'long':
      return 'bigint'
    case 'decimal':
      return 'numeric(38,0)'
    case 'double':
      return 'double precision'
    case 'text':
      return `character varying(${bytesOf(column)})`
    case 'bool':
      return 'boolean'
    case 'timestamp':
      return 'timestamp without time zone'
    case 'bytes':
      return `varbyte(${bytesOf(column)})`
    default:
      return column.type satisfies never
  }
}

/** A storable value as text that COPY reads, and a literal or parameter holds. Times are UTC, as the sessions are. */
export function toRedshiftText(value: ColumnValue): string | null {
  if (value instanceof Date) return value.toISOString().slice(0, -1).replace('T', ' ')
  return Buffer.isBuffer(value) ? value.toString('hex') : toSqlText(value)
}

/** A storable value as an expression of SQL. */
export function literal(value: ColumnValue, column: Column): string {
  const text = toRedshiftText(value)
  if (text === null) return 'NULL'
  if (column.type === 'bytes') return `to_varbyte('${text}', 'hex')`
  if (column.type === 'bool') return text
  return column.type === 'text' ? quoteText(text) : `${quoteText(text)}::${redshiftType(column)}`
}

/** Text in quotes. A backslash escapes: https://docs.aws.amazon.com/redshift/latest/dg/r_patternmatching_condition_like.html */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** Expression that reads a column as {@link fromRedshiftText} understands it; others are spelled by the server as they are. */
export function redshiftTextExpression(column: string, type: ColumnType): string {
  if (type === 'timestamp') return `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.MS')`
  if (type === 'bytes') return `from_varbyte(${column}, 'hex')`
  return column
}

/** The value of a column from the text of {@link redshiftTextExpression}. */
export function fromRedshiftText(text: string | null, type: ColumnType): ColumnValue {
  if (text === null) return null
  if (type === 'timestamp') return new Date(`${text.replace(' ', 'T')}Z`)
  if (type === 'bool') return text === 't' || text === 'true'
  return fromSqlText(text, type)
}
