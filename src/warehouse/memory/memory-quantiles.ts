import type { ColumnValue } from '../../model/column.js'
import { LogBuckets } from '../../model/log-buckets.js'
import type { QuantileView, Row, TableSpec } from '../../ports/warehouse.js'
import { keyIdentity } from '../row/row-key.js'

/** As many decimals of a rank as the views of the SQL warehouses have. */
const RANK_SCALE = 1e12

/** The rows of a quantile view over the rows of its table, in these columns. */
export function* quantileRows(
  view: QuantileView,
  table: TableSpec,
  rows: { read(names: readonly string[]): Iterable<Row> },
  names: readonly string[],
): Iterable<Row> {
  const buckets = new LogBuckets(view.accuracy)
  const groupBy = table.columns.filter(({ name }) => view.groupBy.includes(name))
  const groups = new Map<string, { readonly key: Row; readonly counts: { bucket: number; count: number }[] }>()
  for (const row of rows.read([...groupBy.map(({ name }) => name), view.bucket, view.count])) {
    const key = row.slice(0, groupBy.length)
    const [bucket, count] = row.slice(groupBy.length).map(Number) as [number, number]
    if (!(count > 0)) continue
    const id = keyIdentity(key, groupBy)
    const group = groups.get(id) ?? { key, counts: [] }
    groups.set(id, group)
    group.counts.push({ bucket, count })
  }
  for (const { key, counts } of groups.values()) {
    counts.sort((a, b) => a.bucket - b.bucket)
    const total = counts.reduce((sum, { count }) => sum + count, 0)
    const result = new Map<string, ColumnValue>([
      ...groupBy.map(({ name }, index) => [name, key[index] ?? null] as const),
      [view.count, total],
      ...view.quantiles.map(({ column, rank }) => [column, buckets.valueOf(bucketAt(rank, total, counts))] as const),
    ])
    yield names.map(name => result.get(name) ?? null)
  }
}

/** The first bucket up to which the counts are at least the rank's share, which is compared as a decimal. */
function bucketAt(rank: number, total: number, counts: readonly { readonly bucket: number; readonly count: number }[]) {
  const wanted = BigInt(Math.round(rank * RANK_SCALE)) * BigInt(total)
  let running = 0
  const reached = counts.find(({ count }) => {
    running += count
    return BigInt(running) * BigInt(RANK_SCALE) >= wanted
  })
  return (reached as (typeof counts)[number]).bucket
}
