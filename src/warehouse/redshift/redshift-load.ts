import type { RowKey, TableSpec } from '../../ports/warehouse.js'
import { keyColumns } from '../row/row-key.js'
import type { LoadRequest, SqlDialect, SqlLoad, TableLocation } from '../sql/dialect.js'
import type { SqlSession } from '../sql/session.js'
import { partsOf } from '../sql/table.js'
import {
  deleteStatements,
  mergeStatements,
  nullPatterns,
  nullPatternsOf,
  unstageStatements,
} from './merge-statements.js'
import { columnNames } from './redshift-catalog.js'
import { catalogName } from './redshift-name.js'
import { dropStage, type Stage } from './stage.js'
import { type LoadSettings, StagedRows } from './staged-rows.js'

/** Names of the stages; no table of a sink may have one. */
export const STAGES = { upserts: 'millrace_upserts', closed: 'millrace_closed', deletes: 'millrace_deletes' } as const

/**
 * Uploads what is large of a flush, so that its transaction only has to load it.
 * @throws MillraceError OBJECT_STORE when it cannot be put.
 */
export async function redshiftLoad(
  dialect: Pick<SqlDialect, 'quote'>,
  request: LoadRequest,
  settings: LoadSettings,
): Promise<SqlLoad> {
  const { table, flush, sink, partition, owner } = request
  const { closed = [] } = flush
  const [upserts, ended] = table.split ? [flush.upserts, closed] : [[...flush.upserts, ...closed], []]
  const staged = {
    deletes: new StagedRows({ name: STAGES.deletes, columns: keyColumns(table) }, flush.deletes, settings),
    closed: new StagedRows({ name: STAGES.closed, columns: table.columns }, ended, settings),
    upserts: new StagedRows({ name: STAGES.upserts, columns: table.columns }, upserts, settings),
  }
  const all = Object.values(staged).filter(({ rows }) => rows.length > 0)
  const discard = async () => {
    for (const rows of all) await rows.discard()
  }
  const prefix = `${sink.replace(/[^\w.-]+/g, '_')}/${partition}/${owner}/${flush.nextOffset}`
  try {
    for (const rows of all) await rows.upload(prefix)
  } catch (thrown) {
    await discard()
    throw thrown
  }
  return {
    async write(session) {
      for (const rows of all) await rows.fill(session)
      for (const statement of await changes(session, dialect, request, staged)) await session.query(statement)
      for (const { stage } of all) await dropStage(session, stage)
    },
    close: discard,
  }
}

type Staged = Readonly<Record<keyof typeof STAGES, StagedRows>>

/**
 * What is closed stays closed: an upsert of such a row is dropped, unless the sink is being rebuilt and the log says that
 * the row is open.
 */
async function changes(
  session: SqlSession,
  dialect: Pick<SqlDialect, 'quote'>,
  { at, table, rebuild }: LoadRequest,
  { deletes, closed, upserts }: Staged,
): Promise<string[]> {
  const parts = partsOf(dialect, at, table)
  const [current, past] = parts as [TableLocation, TableLocation | undefined]
  const deleted = nullPatterns(deletes.rows as readonly RowKey[])
  const ended = nullPatternsOf(closed.rows, table)
  const changed = nullPatternsOf(upserts.rows, table)
  const merged = async (into: TableLocation, stage: Stage, patterns: typeof changed) =>
    patterns.length === 0 ? [] : mergeStatements(into, table, stage, patterns, await hasExactly(session, into, table))
  return [
    ...parts.flatMap(part => deleteStatements(part, table, deletes.stage, deleted)),
    ...deleteStatements(current, table, closed.stage, ended),
    ...(past ? (rebuild ? deleteStatements : unstageStatements)(past, table, upserts.stage, changed) : []),
    ...(await merged(current, upserts.stage, changed)),
    ...(past ? await merged(past, closed.stage, ended) : []),
  ]
}

/** Whether a table has the columns of its sink and no others, in the same order. Asked each time: somebody may add one. */
async function hasExactly(session: SqlSession, at: TableLocation, table: TableSpec): Promise<boolean> {
  const names = await columnNames(session, at)
  return (
    names.length === table.columns.length &&
    names.every((name, i) => name === catalogName(table.columns[i]?.name ?? ''))
  )
}
