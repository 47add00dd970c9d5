import { LogBuckets } from '../../model/log-buckets.js'
import type { QuantileView } from '../../ports/warehouse.js'
import type { ViewDefinition, ViewDialect } from './view-dialect.js'

/** Decimals of a rank: as many as fit beside counts in the decimals of all databases. */
const RANK_DECIMALS = 12

/**
 * The view that answers quantiles over `from` (a quoted name): for each group the first bucket up to which the counts reach the rank's
 * share of all, as `percentile_disc` takes it, and of that bucket the value which stands for it. A group that counted nothing has
 * no row.
 *
 * The SELECT is the same for PostgreSQL, Redshift and Trino: an ordered sum has the frame that Redshift asks for (Amazon Redshift
 * Database Developer Guide, "SUM window function"), sums are cast to bigint, since Trino reads no PostgreSQL numeric without a
 * precision, and ranks are decimals, so that their products with counts are exact.
 */
export function quantileView(
  dialect: Pick<ViewDialect, 'quote' | 'typeName'>,
  view: QuantileView,
  from: string,
): ViewDefinition {
  const quote = (name: string) => dialect.quote(name)
  const groups = view.groupBy.map(quote)
  const partition = groups.length === 0 ? '' : `PARTITION BY ${groups.join(', ')} `
  const [bucket, count] = [quote(view.bucket), quote(view.count)]
  const [double, long] = [dialect.typeName('double'), dialect.typeName('long')]
  const expressions = new Map([
    ...view.groupBy.map(name => [name, quote(name)] as const),
    [view.count, 'MAX(millrace_total)'],
    ...view.quantiles.map(({ column, rank }) => {
      // Values grow with the numbers of their buckets, so the first bucket has the smallest value.
      const reached = `millrace_running >= ${decimal(rank)} * millrace_total`
      return [column, `MIN(CASE WHEN ${reached} THEN millrace_value END)`] as const
    }),
  ])
  return {
    name: view.name,
    columns: [...expressions.keys()],
    select(columns) {
      const selected = columns.map(name => `${expressions.get(name)} AS ${quote(name)}`)
      const counted = [
        ...groups,
        `${valueExpression(new LogBuckets(view.accuracy), bucket, double)} AS millrace_value`,
        `CAST(SUM(${count}) OVER (${partition}ORDER BY ${bucket} ROWS UNBOUNDED PRECEDING) AS ${long}) AS millrace_running`,
        `CAST(SUM(${count}) OVER (${partition.trimEnd()}) AS ${long}) AS millrace_total`,
      ]
      const grouping = groups.length === 0 ? 'HAVING COUNT(*) > 0' : `GROUP BY ${groups.join(', ')}`
      return `SELECT ${selected.join(', ')} FROM (SELECT ${counted.join(', ')} FROM ${from} WHERE ${count} > 0) AS millrace_counted ${grouping}`
    },
  }
}

/** `LogBuckets.valueOf` in SQL. */
function valueExpression({ accuracy, logGamma, shift }: LogBuckets, bucket: string, double: string): string {
  const size = `EXP((ABS(${bucket}) - ${shift}) * CAST(${logGamma} AS ${double})) * CAST(${1 - accuracy} AS ${double})`
  return `CASE WHEN ${bucket} = 0 THEN CAST(0 AS ${double}) WHEN ${bucket} < 0 THEN -${size} ELSE ${size} END`
}

function decimal(rank: number): string {
  return rank.toFixed(RANK_DECIMALS).replace(/\.?0+$/, '')
}
