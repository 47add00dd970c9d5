import { MillraceError, messageOf } from '../../model/errors.js'
import type { Row, SinkIdentity, TableSpec, Warehouse, WarehouseSink } from '../../ports/warehouse.js'
import type { SqlDatabase } from './dialect.js'
import { openSqlSink } from './sql-sink.js'
import { fromTexts, locate, selectList } from './table.js'

/** A warehouse in a database that speaks PostgreSQL's protocol. */
export function sqlWarehouse(database: SqlDatabase): Warehouse {
  return {
    name: database.name,
    sessions: database.sessions,
    prepare: table => named(database, () => database.dialect.prepare(database, table)),
    unstorable: (table, row) => database.dialect.unstorable(row, table),
    openSink: (identity: SinkIdentity): Promise<WarehouseSink> =>
      named(database, () => openSqlSink(database, identity)),
    rows: table => rows(database, table),
    close: () => database.close(),
  }
}

async function* rows(database: SqlDatabase, table: TableSpec): AsyncIterable<Row> {
  const { dialect } = database
  const at = await named(database, () => database.session(session => locate(session, dialect, table.name)))
  const selected = selectList(dialect, table.columns)
  const texts = database.select(`SELECT ${selected} FROM ${at.sql}`)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { value, done } = await named(database, () => texts.next())
      if (done) return
      yield fromTexts(dialect, value, table.columns)
    }
  } finally {
    await texts.return?.()
  }
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
