import { type Duration, parseDuration } from '../model/duration.js'
import type { TABLE } from './flow.js'
import type { Columns } from './snake.js'
import type { Sink } from './to.js'

/** How a warehouse table is kept. Columns are key columns, `window_start`, `window_end` and measures in snake_case. */
export interface WarehouseOptions<C extends string> {
  /** Longest time before a changed row is flushed; default `'60 seconds'`. */
  readonly freshness?: Duration
  /** Columns that rows are sorted by, before renaming; default none. */
  readonly sortKey?: C | readonly C[]
  /** Column that rows are distributed by in a cluster, before renaming; default none. */
  readonly distKey?: C
  /** Other names for columns. */
  readonly rename?: { readonly [P in C]?: string }
  /**
   * Keeps rows of open windows in `<table>_open` and those of closed ones, which never change again, in `<table>_closed`;
   * `<table>` is then a view over both. Default false: one table.
   */
  readonly split?: boolean
  /**
   * Views beside the table that sum its windows up to longer ones, aligned to 1970 in UTC: `{ quest_hour: '1 hour' }`. Their lengths
   * are multiples of the windows' length. Default none.
   */
  readonly coarser?: Readonly<Record<string, Duration>>
  /**
   * A view beside the table that answers quantiles: a row for each key and window, with a column for each of `ranks`, such as
   * `{ p50: 0.5, p95: 0.95 }`, and the count. `bucket` is a key column made by `logBucket`, `count` a `count()` of the rows; both
   * before renaming. Each quantile is `percentile_disc` within the accuracy of the bucket. Default none.
   */
  readonly quantiles?: {
    readonly view: string
    readonly bucket: NoInfer<C>
    readonly count: NoInfer<C>
    readonly ranks: Readonly<Record<string, number>>
  }
  /**
   * Longest values of columns of text or bytes, in UTF-8 bytes and before renaming: a row with a longer one goes to the error
   * policy. Default: what the warehouse takes; in Redshift, which declares lengths, 256.
   */
  readonly maxBytes?: { readonly [P in C]?: number }
}

const FRESHNESS: Duration = '60 seconds'

/**
 * A warehouse table (`name` or `schema.name`) as the end of a table: one row a key and window.
 * @throws MillraceError INVALID_DURATION when `freshness` or a length in `coarser` is no duration.
 */
export function warehouse<K, R>(
  table: string,
  options: WarehouseOptions<Columns<K, R>> = {},
): Sink<typeof TABLE, K, R> {
  const { freshness = FRESHNESS, sortKey = [], distKey, rename = {}, split = false } = options
  const { coarser, quantiles, maxBytes } = options
  return Object.freeze({
    sink: Object.freeze({
      kind: 'to-warehouse',
      table,
      freshness: parseDuration(freshness),
      sortKey: Object.freeze(typeof sortKey === 'string' ? [sortKey] : [...sortKey]),
      ...(distKey !== undefined && { distKey }),
      rename: Object.freeze({ ...rename }) as Readonly<Record<string, string>>,
      ...(split && { split }),
      ...(coarser && {
        coarser: Object.freeze(
          Object.fromEntries(Object.entries(coarser).map(([name, length]) => [name, parseDuration(length)])),
        ),
      }),
      ...(quantiles && { quantiles: Object.freeze({ ...quantiles, ranks: Object.freeze({ ...quantiles.ranks }) }) }),
      ...(maxBytes && { maxBytes: Object.freeze({ ...maxBytes }) as Readonly<Record<string, number>> }),
    }),
  })
}
