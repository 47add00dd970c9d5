import { RedshiftError } from '../redshift-error.js'
import type { Upstream } from '../upstream.js'
import { errorFields } from '../wire.js'
import type { CopyCommand } from './copy-command.js'
import { csvRows } from './csv.js'
import { FieldError, fieldValue, type TargetColumn } from './field.js'
import { manifestFiles } from './manifest.js'

/** The largest row: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html */
const MAX_ROW_BYTES = 4 * 1024 * 1024

/** A row of stl_load_errors: https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html */
export interface LoadError {
  readonly url: string
  readonly line: number
  readonly column: string
  readonly type: string
  readonly value: string
  readonly reason: string
}

interface LoadedRow {
  readonly url: string
  readonly line: number
  readonly text: string
  readonly fields: readonly string[]
}

/**
 * Loads what a COPY names into its table; the answer is the number of rows.
 * @throws RedshiftError when it fails; `report` was told of every wrong row before.
 */
export async function load(
  upstream: Upstream,
  command: CopyCommand,
  endpoint: string,
  report: (error: LoadError) => Promise<void>,
): Promise<number> {
  const columns = await targetColumns(upstream, command)
  const files = await manifestFiles(endpoint, command.manifest, command.gzip)
  const rows: LoadedRow[] = []
  let errors = 0
  const wrong = async (error: LoadError) => {
    await report(error)
    if (++errors > command.maxError) throw loadFailed(command.table)
  }
  for (const { url, data } of files) {
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
      for (const { line, fields, bytes } of csvRows(text, command.delimiter, command.quote)) {
        if (line <= command.ignoreHeader || (command.ignoreBlankLines && bytes === 0)) continue
        try {
          rows.push({ url, line, fields, text: rowText(fields, bytes, columns, command) })
        } catch (thrown) {
          if (!(thrown instanceof FieldError)) throw thrown
          const { column, value, message } = thrown
          await wrong({ url, line, column: column?.name ?? '', type: column?.type ?? '', value, reason: message })
        }
      }
    } catch (thrown) {
      if (thrown instanceof RedshiftError) throw thrown
      await wrong({ url, line: 0, column: '', type: '', value: '', reason: (thrown as Error).message })
    }
  }
  if (command.noLoad) return 0
  return copyRows(upstream, command, columns, rows, wrong)
}

/** Hands rows over to PostgreSQL; one that it refuses is left out where MAXERROR allows. */
async function copyRows(
  upstream: Upstream,
  command: CopyCommand,
  columns: readonly TargetColumn[],
  rows: LoadedRow[],
  wrong: (error: LoadError) => Promise<void>,
): Promise<number> {
  const names = columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ')
  const copy = `COPY ${command.table} (${names}) FROM STDIN`
  const inTransaction = upstream.state === 'T'
  for (;;) {
    if (rows.length === 0) return 0
    if (inTransaction) await upstream.run('SAVEPOINT redshift_shim_copy')
    const answers = await upstream.run(copy, Buffer.from(rows.map(({ text }) => text).join('')))
    const failure = answers.find(({ type }) => type === 'E')
    if (inTransaction) await upstream.run(`${failure ? 'ROLLBACK TO' : 'RELEASE'} SAVEPOINT redshift_shim_copy`)
    if (!failure) return rows.length
    const fields = errorFields(failure)
    const [, line, column] = /, line (\d+)(?:, column ([^:]+))?/.exec(fields.get('W') ?? '') ?? []
    const row = rows[Number(line) - 1]
    if (!row) throw new RedshiftError('XX000', fields.get('M') ?? 'COPY failed')
    const at = columns.findIndex(({ name }) => name === column)
    await wrong({
      url: row.url,
      line: row.line,
      column: column ?? '',
      type: columns[at]?.type ?? '',
      value: row.fields[at] ?? '',
      reason: fields.get('M') ?? '',
    })
    rows.splice(Number(line) - 1, 1)
  }
}

function rowText(
  fields: readonly string[],
  bytes: number,
  columns: readonly TargetColumn[],
  command: CopyCommand,
): string {
  if (bytes > MAX_ROW_BYTES) throw new FieldError(undefined, '', 'Row size exceeds 4MB')
  if (fields.length > columns.length) throw new FieldError(undefined, '', 'Extra column(s) found')
  if (fields.length < columns.length && !command.fillRecord) {
    throw new FieldError(columns[fields.length], '', 'Delimiter not found')
  }
  const values = columns.map((column, index) => {
    const field = fields[index]
    const value = field === undefined ? null : fieldValue(field, column, command)
    return value === null ? '\\N' : value.replace(/[\\\n\r\t]/g, escaped)
  })
  return `${values.join('\t')}\n`
}

function escaped(character: string): string {
  return { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character] ?? character
}

function loadFailed(table: string): RedshiftError {
  return new RedshiftError(
    'XX000',
    `Load into table '${table}' failed.  Check 'stl_load_errors' system table for details.`,
  )
}

async function targetColumns(upstream: Upstream, command: CopyCommand): Promise<TargetColumn[]> {
  const table = `'${command.table.replaceAll("'", "''")}'`
  const exists = await upstream.select(`SELECT to_regclass(${table})::text`)
  if (exists[0]?.[0] == null) throw new RedshiftError('42P01', `Cannot COPY into nonexistent table ${command.table}`)
  const rows = await upstream.select(
    `SELECT attname, atttypid::regtype::text,
       CASE WHEN atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND atttypmod > 4 THEN (atttypmod - 4)::text END
     FROM pg_catalog.pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  )
  const columns = rows.map(([name, type, length]) => ({
    name: name as string,
    type: type as string,
    length: length == null ? undefined : Number(length),
  }))
  if (!command.columns) return columns
  return command.columns.map(written => {
    const name = written.replace(/^"|"$/g, '').replaceAll('""', '"').toLowerCase()
    const column = columns.find(each => each.name === name)
    if (!column) {
      throw new RedshiftError('42703', `column "${name}" of relation "${command.table}" does not exist`)
    }
    return column
  })
}
