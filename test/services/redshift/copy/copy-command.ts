import { beyondShim, RedshiftError, syntaxError } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/** A COPY from a manifest of CSV files. */
export interface CopyCommand {
  /** As written. */
  readonly table: string
  /** As written; undefined for all columns. */
  readonly columns: readonly string[] | undefined
  readonly manifest: string
  readonly gzip: boolean
  readonly delimiter: string
  readonly quote: string
  readonly nullAs: string
  readonly emptyAsNull: boolean
  readonly blanksAsNull: boolean
  readonly truncateColumns: boolean
  readonly ignoreHeader: number
  readonly ignoreBlankLines: boolean
  readonly trimBlanks: boolean
  readonly fillRecord: boolean
  /** Rows that may be wrong before the load fails: fails with the row after them. */
  readonly maxError: number
  readonly timeFormat: string
  readonly dateFormat: string
  readonly noLoad: boolean
}

const FLAGS: Readonly<Record<string, () => Partial<CopyCommand>>> = {
  gzip: () => ({ gzip: true }),
  emptyasnull: () => ({ emptyAsNull: true }),
  blanksasnull: () => ({ blanksAsNull: true }),
  truncatecolumns: () => ({ truncateColumns: true }),
  ignoreblanklines: () => ({ ignoreBlankLines: true }),
  trimblanks: () => ({ trimBlanks: true }),
  fillrecord: () => ({ fillRecord: true }),
  noload: () => ({ noLoad: true }),
  acceptanydate: () => ({}),
  roundec: () => ({}),
  explicit_ids: () => ({}),
}

const VALUES: Readonly<Record<string, (value: string) => Partial<CopyCommand>>> = {
  delimiter: value => ({ delimiter: value }),
  quote: value => ({ quote: value }),
  null: value => ({ nullAs: value }),
  ignoreheader: value => ({ ignoreHeader: Number(value) }),
  maxerror: value => ({ maxError: Number(value) }),
  timeformat: value => ({ timeFormat: value }),
  dateformat: value => ({ dateFormat: value }),
  compupdate: () => ({}),
  statupdate: () => ({}),
  comprows: () => ({}),
  region: () => ({}),
  // https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html; the object store lets everybody in.
  iam_role: () => ({}),
  credentials: () => ({}),
  access_key_id: () => ({}),
  secret_access_key: () => ({}),
  session_token: () => ({}),
  encoding: value => {
    if (!/^utf-?8$/i.test(value)) throw beyondShim(`ENCODING ${value}`)
    return {}
  },
}

const BEYOND = new Set(
  `json avro parquet orc shapefile fixedwidth bzip2 lzop zstd encrypted ssh readratio removequotes escape acceptinvchars
   master_symmetric_key`.split(/\s+/),
)

/**
 * https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html with copy-parameters-data-format.html,
 * copy-parameters-data-conversion.html and copy-parameters-data-load.html
 * @throws RedshiftError for wrong syntax, and for what the shim does not have.
 */
export function copyCommand(statement: Statement): CopyCommand {
  const open = statement.behindName(1)
  const listed = statement.value(open) === '('
  const from = listed ? statement.closing(open) + 1 : open
  const source = statement.tokens[from + 1]
  if (statement.value(from) !== 'from' || source?.kind !== 'string') throw syntaxError(statement.tokens[from])
  if (!source.value.startsWith('s3://')) throw new RedshiftError('XX000', `Invalid S3 path ${source.value}`)
  const { given, options } = readOptions(statement, from + 2)
  const command = {
    table: statement.text(1, open),
    columns: listed ? columnNames(statement, open + 1, from - 1) : undefined,
    manifest: source.value,
    gzip: false,
    delimiter: ',',
    quote: '"',
    nullAs: '\\N',
    emptyAsNull: false,
    blanksAsNull: false,
    truncateColumns: false,
    ignoreHeader: 0,
    ignoreBlankLines: false,
    trimBlanks: false,
    fillRecord: false,
    maxError: 0,
    timeFormat: '',
    dateFormat: '',
    noLoad: false,
    ...options,
  }
  const byKeys = given.has('access_key_id') && given.has('secret_access_key')
  if (!byKeys && !given.has('iam_role') && !given.has('credentials')) {
    throw new RedshiftError(
      '42601',
      'COPY needs credentials: IAM_ROLE, CREDENTIALS, or ACCESS_KEY_ID and SECRET_ACCESS_KEY',
    )
  }
  if (!given.has('csv')) throw beyondShim('COPY of a format other than CSV')
  if (!given.has('manifest')) throw beyondShim('COPY without MANIFEST')
  return command
}

function columnNames(statement: Statement, from: number, to: number): string[] {
  return statement.tokens.slice(from, to).flatMap(({ text }) => (text === ',' ? [] : [text]))
}

/** Options may come in any order. */
function readOptions(statement: Statement, from: number): { given: Set<string>; options: Partial<CopyCommand> } {
  const given = new Set<string>()
  const options: Partial<CopyCommand> = {}
  for (let at = from; at < statement.tokens.length; ) {
    const option = statement.value(at++) ?? ''
    if (option === 'format' || option === 'with' || option === 'as') continue
    given.add(option)
    if (option === 'csv' || option === 'manifest') continue
    const flag = FLAGS[option]
    if (flag) {
      Object.assign(options, flag())
      continue
    }
    if (BEYOND.has(option)) throw beyondShim(`COPY with ${option.toUpperCase()}`)
    const take = VALUES[option]
    if (!take) throw syntaxError(statement.tokens[at - 1])
    if (statement.value(at) === 'as') at++
    const value = statement.tokens[at++]
    if (!value) throw syntaxError(undefined)
    Object.assign(options, take(value.value))
  }
  return { given, options }
}
