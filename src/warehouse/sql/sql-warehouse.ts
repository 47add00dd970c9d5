import { MillraceError, messageOf } from '../../model/errors.js'
import type { Row, SinkIdentity, TableSpec, Warehouse, WarehouseSink } from '../../ports/warehouse.js'
import { unstorable } from '../row/unstorable.js'
import type { SqlDatabase, SqlSession } from './database.js'
import { quoteIdentifier } from './identifier.js'
import { openSqlSink } from './sql-sink.js'
import { fromSqlTexts, textExpression } from './sql-type.js'
import { locate, prepareTable } from './table.js'
import { transaction } from './transaction.js'

/** `NULLS NOT DISTINCT` came with PostgreSQL 15. */
const OLDEST_VERSION = 150_000

/** A warehouse in a database of the PostgreSQL family. */
export function sqlWarehouse(database: SqlDatabase): Warehouse {
  return {
    name: database.name,
    sessions: database.sessions,
    prepare: table =>
      named(database, () =>
        transaction(database, async session => {
          await requireVersion(session, database)
          await prepareTable(session, await locate(session, table.name), table)
        }),
      ),
    unstorable: (table, row) => unstorable(row, table),
    openSink: (identity: SinkIdentity): Promise<WarehouseSink> =>
      named(database, () => openSqlSink(database, identity)),
    rows: table => rows(database, table),
    close: () => database.close(),
  }
}

async function* rows(database: SqlDatabase, table: TableSpec): AsyncIterable<Row> {
  const at = await named(database, () => database.session(session => locate(session, table.name)))
  const columns = table.columns.map(({ name, type }) => textExpression(quoteIdentifier(name), type)).join(', ')
  const texts = database.select(`SELECT ${columns} FROM ${at.sql}`)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { value, done } = await named(database, () => texts.next())
      if (done) return
      yield fromSqlTexts(value, table.columns)
    }
  } finally {
    await texts.return?.()
  }
}

async function requireVersion(session: SqlSession, database: SqlDatabase): Promise<void> {
  const { rows: version } = await session.query(`SELECT current_setting('server_version_num')`)
  if (Number(version[0]?.[0]) >= OLDEST_VERSION) return
  throw new MillraceError(
    'WAREHOUSE',
    `${database.name} is older than PostgreSQL 15. Upgrade it, or use another warehouse.`,
  )
}

/** Runs `work`; a failure that is not yet an error of Millrace becomes WAREHOUSE with the warehouse's name. */
async function named<T>(database: SqlDatabase, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof MillraceError) throw thrown
    throw new MillraceError('WAREHOUSE', `${database.name} is out of reach or refused: ${messageOf(thrown)}.`, {
      cause: thrown,
    })
  }
}
