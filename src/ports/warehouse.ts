import type { Column, ColumnValue } from '../model/column.js'

/** A table that Millrace keeps. Columns are unquoted names; `name` may be `schema.table`. */
export interface TableSpec {
  readonly name: string
  readonly columns: readonly Column[]
  /** Columns that identify a row, among `columns`. */
  readonly key: readonly string[]
  readonly sortKey: readonly string[]
  readonly distKey?: string
  /**
   * The rows stand in two tables, `<name>_open` and `<name>_closed`, and `name` is a view over both. A row whose window
   * closed moves once, in the transaction of its flush, and never changes again, so that closed data may be cached.
   * Default false: `name` is one table.
   */
  readonly split?: boolean
  /** Views beside the table, in the same schema; default none. */
  readonly views?: readonly ViewSpec[]
}

/** A view that a warehouse keeps beside a table. */
export type ViewSpec = CoarserView | QuantileView

/** Windows of a table summed up to longer ones, aligned to 1970 in UTC. Its columns are the key, the window's two, and measures. */
export interface CoarserView {
  readonly kind: 'coarser'
  /** Without a schema. */
  readonly name: string
  /** Length of its windows in ms, a multiple of that of the table's. */
  readonly size: number
  /** Key columns of the table besides the window's two. */
  readonly groupBy: readonly string[]
  readonly windowStart: string
  readonly windowEnd: string
  /** How each measure is summed up; a measure that SQL cannot sum up is left out. */
  readonly measures: readonly SummedMeasure[]
}

/** How a column of a coarser view comes from the rows of the table. */
export type SummedMeasure =
  | { readonly column: string; readonly by: 'sum' | 'min' | 'max' }
  /** The sums of two other columns, divided: a double, NULL where the count is 0. */
  | { readonly column: string; readonly by: 'mean'; readonly sum: string; readonly count: string }

/** Quantiles of a table of logarithmic buckets: each row counts the values of one bucket. */
export interface QuantileView {
  readonly kind: 'quantiles'
  readonly name: string
  /** Key and window columns of the table besides the bucket's. */
  readonly groupBy: readonly string[]
  readonly bucket: string
  readonly count: string
  /** Relative accuracy of the buckets, between 0 and 1. */
  readonly accuracy: number
  /** Column name and rank between 0 and 1 of each quantile. */
  readonly quantiles: readonly { readonly column: string; readonly rank: number }[]
}

/** Values in the order of `TableSpec.columns`. */
export type Row = readonly ColumnValue[]

/** Values in the order of `TableSpec.key`. */
export type RowKey = readonly ColumnValue[]

/** Who writes: one sink partition. */
export interface SinkIdentity {
  /** Unique name of the sink, such as the rows topic's name. */
  readonly sink: string
  readonly partition: number
  readonly table: TableSpec
  /** Id of the rows topic where the log knows it; a change means that the topic was recreated. */
  readonly topicId: string | undefined
  /** Offset behind the last record of the rows topic: an offset beyond it means that the topic was recreated, too. */
  readonly logEnd: number
  /** Age in ms of `as_of` from which on tombstones may be gone from the rows topic, so that a rebuild is due. */
  readonly tombstoneRetentionMs: number
  /** Now, in ms since 1970. */
  readonly now: number
}

/** What one flush changes. A key is at most once in it. */
export interface Flush {
  readonly upserts: readonly Row[]
  /**
   * Last rows of windows that closed. In a split table they move to the closed part, where an upsert of the same key no longer
   * changes them, except in a rebuild: there it takes the row back to the open part, as the log says what is open. In other
   * tables they are upserts as others.
   */
  readonly closed?: readonly Row[]
  readonly deletes: readonly RowKey[]
  /** Offset of the rows topic behind the last record that this flush stands for. */
  readonly nextOffset: number
  /** Wall clock of the flush, in ms since 1970. */
  readonly asOf: number
  /**
   * True on the flush that ends a rebuild by deleting the rows that were not seen. Until one succeeded, whoever opens the
   * sink begins the rebuild again. Without meaning where the sink is not being rebuilt.
   */
  readonly endsRebuild?: boolean
}

/** A sink partition that this process owns until somebody else opens it. */
export interface WarehouseSink {
  /** Where to read on in the rows topic; 0 for a new sink or a rebuild. */
  readonly nextOffset: number
  /** The sink starts from the topic's start, and rows that it does not see are to be deleted at the end of it. */
  readonly rebuild: boolean
  /**
   * One transaction: advances `next_offset` where owner and offset are still this sink's, then deletes and merges.
   * Retries conflicts. After a connection lost at COMMIT it reads the offset back to learn the outcome.
   * @throws MillraceError WAREHOUSE_FENCED when another owner took over (stop); WAREHOUSE when it is out of reach
   * or refuses (nothing was written: call again with the same or a larger flush).
   */
  flush(flush: Flush): Promise<void>
  /**
   * Keys of all rows of the table, of all partitions; for a rebuild. Holds a session until its end: where there is only one,
   * a flush waits for it.
   */
  keys(): AsyncIterable<RowKey>
  close(): Promise<void>
}

/** Sessions of this process in a warehouse. */
export interface WarehouseSessions {
  /** That are at work now. */
  readonly inUse: number
  /** The most that are open at a time. */
  readonly limit: number
  /**
   * Sets the limit. Resolves when no more are open: idle ones are closed; those at work when they are done, or, with
   * `atOnce`, now, so that their work fails. While the limit is 0, all work fails. Absent where the warehouse is in this
   * process and has one session.
   */
  allow?(limit: number, atOnce?: boolean): Promise<void>
}

/** A warehouse that holds tables and, per sink partition, the offset up to which they stand for the log. */
export interface Warehouse {
  /** For messages, without secrets: `PostgreSQL at localhost:5432/analytics`. */
  readonly name: string
  /**
   * Creates the table (and `millrace_offsets`) or checks it: missing nullable columns are added.
   * @throws MillraceError WAREHOUSE_TABLE naming every difference that cannot be mended; WAREHOUSE when out of reach.
   */
  prepare(table: TableSpec): Promise<void>
  /** Why this warehouse cannot hold the row (text with NUL, a number out of range, …); undefined when it can. */
  unstorable(table: TableSpec, row: Row): string | undefined
  openSink(identity: SinkIdentity): Promise<WarehouseSink>
  /** Sessions of this process; absent where the warehouse has none. */
  readonly sessions?: WarehouseSessions
  /** All rows of a table, in the order of its columns. */
  rows(table: TableSpec): AsyncIterable<Row>
  close(): Promise<void>
}
