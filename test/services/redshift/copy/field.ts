import type { CopyCommand } from './copy-command.js'

/** A column that COPY fills. */
export interface TargetColumn {
  readonly name: string
  /** As PostgreSQL names it, without a length. */
  readonly type: string
  /** Bytes of a CHAR or VARCHAR. */
  readonly length: number | undefined
}

/** What is wrong with a field, in the words of stl_load_errors. */
export class FieldError extends Error {
  constructor(
    readonly column: TargetColumn | undefined,
    readonly value: string,
    reason: string,
  ) {
    super(reason)
  }
}

/**
 * The value of a field as PostgreSQL reads it, null for NULL.
 * https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html and
 * https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
 * @throws FieldError
 */
export function fieldValue(text: string, column: TargetColumn, command: CopyCommand): string | null {
  if (text === command.nullAs) return null
  const isText = column.length !== undefined || column.type === 'text'
  // Empty fields of other types are always NULL.
  if (text === '' && (!isText || command.emptyAsNull)) return null
  if (isText && command.blanksAsNull && /^\s*$/.test(text)) return null
  if (isText) return textValue(text, column, command)
  // Hexadecimal: https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html
  if (column.type === 'bytea') {
    if (!/^([0-9a-f]{2})*$/i.test(text)) throw new FieldError(column, text, 'Invalid hexadecimal digit')
    return `\\x${text}`
  }
  if (column.type.startsWith('timestamp')) return timestampValue(text, column, command.timeFormat)
  return text
}

function textValue(text: string, column: TargetColumn, command: CopyCommand): string {
  const trimmed = command.trimBlanks ? text.replace(/ +$/, '') : text
  if (trimmed.includes('\0')) throw new FieldError(column, text, 'Invalid null byte - field longer than 1 byte')
  // VARCHAR(n) has n bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
  if (column.length === undefined || Buffer.byteLength(trimmed) <= column.length) return trimmed
  if (!command.truncateColumns) throw new FieldError(column, text, 'String length exceeds DDL length')
  let end = trimmed.length
  while (Buffer.byteLength(trimmed.slice(0, end)) > column.length) end--
  return trimmed.slice(0, end).replace(/[\ud800-\udbff]$/, '')
}

/** Without a TIMEFORMAT only YYYY-MM-DD HH:MI:SS with fractions is read; ISO 8601 with T and zones needs 'auto'. */
const PLAIN_TIMESTAMP = /^\d{4,6}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d(:?\d\d)?)?)?$/

function timestampValue(text: string, column: TargetColumn, format: string): string {
  if (format === 'epochsecs' || format === 'epochmillisecs') {
    if (!/^-?\d+$/.test(text)) throw new FieldError(column, text, 'Invalid timestamp format or value [epoch]')
    const ms = Number(text) * (format === 'epochsecs' ? 1_000 : 1)
    return new Date(ms).toISOString()
  }
  if (format !== 'auto' && !PLAIN_TIMESTAMP.test(text)) {
    throw new FieldError(column, text, `Invalid timestamp format or value [${format || 'YYYY-MM-DD HH24:MI:SS'}]`)
  }
  return text
}
