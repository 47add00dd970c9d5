import { MillraceError } from '../model/errors.js'
import { parseCsv } from './csv.js'
import { splitStatements } from './sql-statements.js'

/** A statement of a log. The same statement, logged several times, is one. */
export interface LoggedQuery {
  readonly sql: string
  readonly calls: number
  /** Time over all calls, in ms, where the log has times; else the number of calls. */
  readonly cost: number
}

/** What was logged. */
export interface QueryLog {
  readonly queries: readonly LoggedQuery[]
  readonly unit: 'ms' | 'calls'
}

type Row = Readonly<Record<string, string>>

/** Columns that hold a statement: of pg_stat_statements, stl_query, svl_qlog, sys_query_history, Trino's system.runtime.queries. */
const TEXTS = ['query', 'querytxt', 'query_text', 'substring', 'statement', 'sql', 'text']
/** Columns that hold the time of all calls, or of the one that the row stands for, with what makes ms of them. */
const TIMES: readonly (readonly [column: string, ms: number])[] = [
  ['total_exec_time', 1],
  ['total_time', 1],
  ['execution_time', 0.001],
  ['elapsed_time', 0.001],
  ['elapsed', 0.001],
  ['duration_ms', 1],
  ['cpu_time_ms', 1],
  ['duration', 1],
  ['cost', 1],
]
/** The same for the time of one call of several. */
const MEANS = ['mean_exec_time', 'mean_time']

function number(row: Row, column: string | undefined): number | undefined {
  const value = column === undefined ? '' : (row[column] ?? '').trim()
  return value === '' || !Number.isFinite(Number(value)) ? undefined : Number(value)
}

function between(row: Row, from: string, to: string): number | undefined {
  const ms = Date.parse(`${row[to]}`) - Date.parse(`${row[from]}`)
  return ms >= 0 ? ms : undefined
}

function timeOf(row: Row, calls: number): number | undefined {
  for (const [column, factor] of TIMES) {
    const value = number(row, column)
    if (value !== undefined) return value * factor
  }
  for (const column of MEANS) {
    const value = number(row, column)
    if (value !== undefined) return value * calls
  }
  return between(row, 'starttime', 'endtime') ?? between(row, 'started', 'end')
}

function ofRows(rows: readonly Row[], text: string): QueryLog {
  const timed = rows.map(row => {
    const calls = number(row, 'calls') ?? number(row, 'executions') ?? 1
    return { sql: (row[text] ?? '').trim(), calls, time: timeOf(row, calls) }
  })
  const unit = timed.some(({ time }) => time !== undefined) ? 'ms' : 'calls'
  const cost = (time: number | undefined, calls: number) => (unit === 'ms' ? (time ?? 0) : calls)
  return { unit, queries: merged(timed.map(({ sql, calls, time }) => ({ sql, calls, cost: cost(time, calls) }))) }
}

function merged(queries: readonly LoggedQuery[]): readonly LoggedQuery[] {
  const bySql = new Map<string, LoggedQuery>()
  for (const { sql, calls, cost } of queries) {
    if (sql === '') continue
    const same = sql.replace(/\s+/g, ' ').replace(/;$/, '')
    const before = bySql.get(same)
    const counted = before
      ? { sql: before.sql, calls: before.calls + calls, cost: before.cost + cost }
      : { sql, calls, cost }
    bySql.set(same, counted)
  }
  return [...bySql.values()].sort((a, b) => b.cost - a.cost)
}

/** The column of a CSV that holds statements: the first known name whose values look like SQL (`query` is a number in stl_query). */
function textColumn(rows: readonly Row[]): string | undefined {
  const has = (column: string) =>
    rows.some(row => /\b(select|with|insert|update|delete|copy|create)\b/i.test(row[column] ?? ''))
  return TEXTS.find(has)
}

/**
 * Reads logged SQL: a CSV with a column of statements (an export of pg_stat_statements, stl_query, sys_query_history and
 * such), or statements that end with `;`.
 * @throws MillraceError INVALID_OPTION, naming the file, when it holds no statement.
 */
export function readQueryLog(text: string, file: string): QueryLog {
  if (/\.(csv|tsv)$/i.test(file)) {
    const rows = parseCsv(text)
    const column = textColumn(rows)
    if (column !== undefined) return ofRows(rows, column)
    throw new MillraceError(
      'INVALID_OPTION',
      `--sql ${file} has no column of statements. It needs a header with one of: ${TEXTS.join(', ')}.`,
    )
  }
  const queries = merged(splitStatements(text).map(sql => ({ sql, calls: 1, cost: 1 })))
  if (queries.length > 0) return { unit: 'calls', queries }
  throw new MillraceError('INVALID_OPTION', `--sql ${file} holds no statement.`)
}
