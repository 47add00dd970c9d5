import { MillraceError } from '../../model/errors.js'
import { unstorable, unstorableKey } from '../row/unstorable.js'
import { deleteRows, upsertRows } from './change-rows.js'
import type { SqlDatabase, SqlDialect } from './dialect.js'
import { quoteIdentifier } from './identifier.js'
import { prepareTable } from './postgres-table.js'
import { type SqlSession, sqlState } from './session.js'
import { fromSqlText, textExpression, toSqlText } from './sql-type.js'
import { locate } from './table.js'
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
  load: async ({ at, table, flush }) => ({
    async write(session) {
      await deleteRows(session, at, table, flush.deletes)
      await upsertRows(session, at, table, flush.upserts)
    },
    close: async () => undefined,
  }),
}

async function requireVersion(session: SqlSession, database: SqlDatabase): Promise<void> {
  const { rows: version } = await session.query(`SELECT current_setting('server_version_num')`)
  if (Number(version[0]?.[0]) >= OLDEST_VERSION) return
  throw new MillraceError(
    'WAREHOUSE',
    `${database.name} is older than PostgreSQL 15. Upgrade it, or use another warehouse.`,
  )
}
