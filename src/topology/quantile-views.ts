import type { WarehouseSinkNode } from './node.js'
import { rowKey, warehouseColumns } from './warehouse-columns.js'

/** A view that answers quantiles from counts a logarithmic bucket. Columns as the table names them. */
export interface QuantileView {
  readonly name: string
  /** Key and window columns besides that of the bucket. */
  readonly groupBy: readonly string[]
  readonly bucket: string
  readonly count: string
  readonly accuracy: number
  readonly quantiles: readonly { readonly column: string; readonly rank: number }[]
}

/** The quantile view of a sink; undefined where it has none, or names columns that it cannot be made of. */
export function quantileView(node: WarehouseSinkNode): QuantileView | undefined {
  const columns = warehouseColumns(node)
  if (node.quantiles === undefined || columns === undefined) return undefined
  const { view, bucket, count, ranks } = node.quantiles
  const key = rowKey(columns)
  const buckets = key.find(({ original }) => original === bucket)
  const counts = columns.find(({ original, part }) => original === count && part === 'measure')
  if (buckets?.field.accuracy === undefined || counts === undefined) return undefined
  return {
    name: view,
    groupBy: key.filter(column => column !== buckets).map(({ name }) => name),
    bucket: buckets.name,
    count: counts.name,
    accuracy: buckets.field.accuracy,
    quantiles: Object.entries(ranks).map(([column, rank]) => ({ column, rank })),
  }
}
