import fc from 'fast-check'
import { expect } from 'vitest'
import type { ColumnValue } from '../../../src/model/column.js'
import { LogBuckets } from '../../../src/model/log-buckets.js'
import type { QuantileView, Row, TableSpec } from '../../../src/ports/warehouse.js'

/** What EXP in a database and the logarithms here round away, beside the accuracy. */
const ROUNDING = 1e-9

const ACCURACY = 0.02

export const bucketTable: TableSpec = {
  name: 'bucket_counts',
  columns: [
    { name: 'game', type: 'int', nullable: false },
    { name: 'total', type: 'text', nullable: false },
    { name: 'bucket', type: 'int', nullable: false },
    { name: 'events', type: 'long', nullable: false },
  ],
  key: ['game', 'total', 'bucket'],
  sortKey: [],
}

/** Groups by one column that is a number, and by one that has the name of something in many a query. */
export const bucketView: QuantileView = {
  kind: 'quantiles',
  name: 'bucket_quantiles',
  groupBy: ['game', 'total'],
  bucket: 'bucket',
  count: 'events',
  accuracy: ACCURACY,
  quantiles: [
    { column: 'lowest', rank: 0 },
    { column: 'p7', rank: 0.07 },
    { column: 'third', rank: 1 / 3 },
    { column: 'p50', rank: 0.5 },
    { column: 'p95', rank: 0.95 },
    { column: 'highest', rank: 1 },
  ],
}

export const VIEW_COLUMNS = [...bucketView.groupBy, bucketView.count, ...bucketView.quantiles.map(one => one.column)]

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 10_000_000 }),
  fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
  fc.double({ min: 0.0001, max: 100, noNaN: true }),
)
const values = fc.tuple(sizes, fc.integer({ min: 0, max: 3 })).map(([size, quarter]) => (quarter === 0 ? -size : size))
const lists = fc.oneof(
  fc.array(values, { minLength: 1, maxLength: 30 }),
  fc.array(values, { minLength: 100, maxLength: 100 }),
)

/** Values of each group: always the same ones. */
const GROUPS: readonly (readonly number[])[] = [[0], [-5], ...fc.sample(lists, { seed: 20_261_124, numRuns: 120 })]

/** The counts of the groups' values a bucket, and one bucket that counted nothing. */
export function bucketRows(): Row[] {
  const buckets = new LogBuckets(ACCURACY)
  return GROUPS.flatMap((list, game) => {
    const counts = new Map<number, number>([[-99_999, 0]])
    for (const value of list) {
      const bucket = buckets.bucketOf(value)
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
    }
    return [...counts].map(([bucket, count]): Row => [game, `game ${game}`, bucket, count])
  })
}

/** Checks rows of `VIEW_COLUMNS` against the values themselves: each quantile is percentile_disc within the accuracy. */
export function expectQuantiles(rows: readonly (readonly ColumnValue[])[]): void {
  expect(rows.length).toBe(GROUPS.length)
  const seen = new Set<number>()
  for (const [game, total, events, ...quantiles] of rows) {
    const list = [...(GROUPS[Number(game)] as readonly number[])].sort((a, b) => a - b)
    seen.add(Number(game))
    expect(total).toBe(`game ${game}`)
    expect(Number(events)).toBe(list.length)
    bucketView.quantiles.forEach(({ rank }, index) => {
      // 0.07 × 100 is a little more than 7 in floating point.
      const place = Math.max(1, Math.ceil(Number((rank * list.length).toFixed(9))))
      const exact = list[place - 1] as number
      const error = Math.abs(Number(quantiles[index]) - exact)
      expect(error, `rank ${rank} of group ${game}`).toBeLessThanOrEqual(Math.abs(exact) * (ACCURACY + ROUNDING))
    })
  }
  expect(seen.size).toBe(GROUPS.length)
}
