import { MillraceError } from '../../model/errors.js'
import type { Row } from '../../ports/warehouse.js'
import { keyColumns, keyIdentity, keyOf } from '../row/row-key.js'
import { unstorable, unstorableKey } from '../row/unstorable.js'
import { deleteRows, foundKeys, upsertRows } from './change-rows.js'
import type { LoadRequest, SqlDatabase, SqlDialect, TableLocation } from './dialect.js'
import { quoteIdentifier } from './identifier.js'
import { prepareTable } from './postgres-table.js'
import { type SqlSession, sqlState } from './session.js'
import { fromSqlText, textExpression, toSqlText } from './sql-type.js'
import { locate, partsOf } from './table.js'
import { transaction } from './transaction.js'

/** `NULLS NOT DISTINCT` came with PostgreSQL 15. */
const OLDEST_VERSION = 150_000

/**
 * The server ends a transaction that idles so long, which frees the locks of a writer whose host vanished or sleeps. Who
 * waits for a lock waits a little longer than that, and then reports instead of hanging.
 */
const IDLE_TIMEOUT_MS = 20_000
const LOCK_TIMEOUT_MS = 30_000

const SET_TIMEOUTS = `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true),
  set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT_MS}', true)`

/** PostgreSQL 15 or later, PGlite included. */
export const postgresDialect: SqlDialect = {
  begin: ['BEGIN ISOLATION LEVEL READ COMMITTED', SET_TIMEOUTS],
  conflictDelayMs: 20,
  isConflict: thrown => sqlState(thrown) === '40001' || sqlState(thrown) === '40P01',

  quote: quoteIdentifier,
  catalogName: name => name,
  toText: toSqlText,
  textExpression,
  fromText: fromSqlText,
  unstorable,
  unstorableKey,

  prepare: (database, table) =>
    transaction(database, async session => {
      await requireVersion(session, database)
      await prepareTable(session, await locate(session, postgresDialect, table.name), table)
    }),
  lockOffsets: async () => undefined,
  lockRow: 'FOR UPDATE',
  async insertOffset(session, at, sink) {
    await session.query(
      `INSERT INTO ${at.offsets} (sink, "partition", next_offset, owner, epoch)
       VALUES ($1::text, ($2::text)::integer, 0, '', 0) ON CONFLICT DO NOTHING`,
      sink,
    )
  },
  load: async request => ({
    write: session => (request.table.split ? writeParts(session, request) : writeRows(session, request)),
    close: async () => undefined,
  }),
}

async function writeRows(session: SqlSession, { at, table, flush }: LoadRequest): Promise<void> {
  await deleteRows(session, at, table, flush.deletes)
  await upsertRows(session, at, table, [...flush.upserts, ...(flush.closed ?? [])])
}

/**
 * A row is in one of the two tables. What is closed stays closed: an upsert of it is dropped, unless the sink is being rebuilt
 * and the log says that it is open.
 */
async function writeParts(session: SqlSession, { at, table, flush, rebuild }: LoadRequest): Promise<void> {
  const { upserts, closed = [], deletes } = flush
  const [open, past] = partsOf(postgresDialect, at, table) as [TableLocation, TableLocation]
  const keysOf = (rows: readonly Row[]) => rows.map(row => keyOf(row, table))
  await deleteRows(session, past, table, rebuild ? [...deletes, ...keysOf(upserts)] : deletes)
  await deleteRows(session, open, table, [...deletes, ...keysOf(closed)])
  const columns = keyColumns(table)
  const found = rebuild ? [] : await foundKeys(session, past, table, keysOf(upserts))
  const final = new Set(found.map(key => keyIdentity(key, columns)))
  const changed = upserts.filter(row => final.size === 0 || !final.has(keyIdentity(keyOf(row, table), columns)))
  await upsertRows(session, open, table, changed)
  await upsertRows(session, past, table, closed)
}

async function requireVersion(session: SqlSession, database: SqlDatabase): Promise<void> {
  const { rows: version } = await session.query(`SELECT current_setting('server_version_num')`)
  if (Number(version[0]?.[0]) >= OLDEST_VERSION) return
  throw new MillraceError(
    'WAREHOUSE',
    `${database.name} is older than PostgreSQL 15. Upgrade it, or use another warehouse.`,
  )
}
