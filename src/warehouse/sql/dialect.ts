import type { ColumnType, ColumnValue } from '../../model/column.js'
import type { Flush, Row, RowKey, TableSpec, WarehouseSessions } from '../../ports/warehouse.js'
import type { SqlSession, TextRow } from './session.js'

/** Where a table is. */
export interface TableLocation {
  readonly schema: string
  readonly table: string
  /** Quoted, with its schema. */
  readonly sql: string
  /** The offsets table of this schema, quoted. */
  readonly offsets: string
}

/** What a flush loads, and where it belongs in the log. */
export interface LoadRequest {
  readonly at: TableLocation
  readonly table: TableSpec
  readonly flush: Flush
  /** The sink is being rebuilt: rows of a split table that are closed may be open again. */
  readonly rebuild: boolean
  readonly sink: string
  readonly partition: number
  readonly owner: string
}

/** The rows of one flush on their way into a table. */
export interface SqlLoad {
  /** Deletes and merges within the transaction of the session; called again when the transaction is run again. */
  write(session: SqlSession): Promise<void>
  /** Frees what the load holds outside of the database, whatever became of the flush. Never throws. */
  close(): Promise<void>
}

/**
 * What differs between databases that speak PostgreSQL's protocol. The protocol of offsets and owners is the same for all
 * and stands in `sql-sink.ts` and `transaction.ts`.
 */
export interface SqlDialect {
  /** Statements that begin a transaction which sees what was committed before it got its locks. */
  readonly begin: readonly string[]
  /** Between two attempts of a transaction that meets conflicts: up to so many ms times the attempt's number. */
  readonly conflictDelayMs: number
  /** True when the same transaction may succeed when it is run again. */
  isConflict(thrown: unknown): boolean

  /** An identifier in quotes, whatever it holds. @throws MillraceError WAREHOUSE_TABLE when there is no such identifier. */
  quote(name: string): string
  /** A name as the catalog spells it. */
  catalogName(name: string): string
  /** A storable value as text that the database casts to the column's type. */
  toText(value: ColumnValue): string | null
  /** SQL expression that reads a column as text which `fromText` understands, whatever the session's settings. */
  textExpression(column: string, type: ColumnType): string
  fromText(text: string | null, type: ColumnType): ColumnValue

  /** Why a row cannot be stored; undefined where it can. */
  unstorable(row: Row, table: TableSpec): string | undefined
  /** Why no row with this key can be stored; undefined where one can. */
  unstorableKey(key: RowKey, table: TableSpec): string | undefined

  /** Creates or checks a table and its offsets table, as `Warehouse.prepare` says; may be called by many at once. */
  prepare(database: SqlDatabase, table: TableSpec): Promise<void>
  /** First in a transaction that writes offsets: keeps other writers out where statements do not lock rows by themselves. */
  lockOffsets(session: SqlSession, at: TableLocation): Promise<void>
  /** Behind a SELECT of an offset, to lock its row until the end of the transaction. */
  readonly lockRow: string
  /** Inserts the row of a sink partition, with offset 0 and without an owner, where there is none; after `lockOffsets`. */
  insertOffset(session: SqlSession, at: TableLocation, sink: readonly [sink: string, partition: string]): Promise<void>
  /** Prepares the load of a flush before its transaction begins, so that locks are held for a short time. */
  load(request: LoadRequest): Promise<SqlLoad>
}

/** A database that speaks PostgreSQL's protocol: its dialect, and what that needs of the driver. */
export interface SqlDatabase {
  /** For messages, without secrets. */
  readonly name: string
  readonly sessions: WarehouseSessions
  readonly dialect: SqlDialect
  /** Lends a session to `work`, and gives it up when `work` failed without having ended its transaction. */
  session<T>(work: (session: SqlSession) => Promise<T>): Promise<T>
  /** Rows of a SELECT as of its start; holds none of the sessions that `session` lends. */
  select(sql: string): AsyncIterable<TextRow>
  close(): Promise<void>
}
