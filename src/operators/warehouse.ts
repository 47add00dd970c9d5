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
}

const FRESHNESS: Duration = '60 seconds'

/**
 * A warehouse table (`name` or `schema.name`) as the end of a table: one row a key and window.
 * @throws MillraceError INVALID_DURATION when `freshness` is no duration.
 */
export function warehouse<K, R>(
  table: string,
  options: WarehouseOptions<Columns<K, R>> = {},
): Sink<typeof TABLE, K, R> {
  const { freshness = FRESHNESS, sortKey = [], distKey, rename = {} } = options
  return Object.freeze({
    sink: Object.freeze({
      kind: 'to-warehouse',
      table,
      freshness: parseDuration(freshness),
      sortKey: Object.freeze(typeof sortKey === 'string' ? [sortKey] : [...sortKey]),
      ...(distKey !== undefined && { distKey }),
      rename: Object.freeze({ ...rename }) as Readonly<Record<string, string>>,
    }),
  })
}
