import { LogBuckets } from '../../model/log-buckets.js'
import type { QuantileView } from '../../ports/warehouse.js'

/** Digits of a rank: as many as a decimal takes beside counts in all databases. */
const RANK_DIGITS = 12

/**
 * The SELECT of a quantile view over `from` (a table or view in quotes), which PostgreSQL, Redshift and Trino understand: for each
 * group the smallest bucket up to which its share of the counts is at least the rank, as `percentile_disc` takes it, and of that
 * the value which stands for it.
 *
 * Redshift needs the frame of a sum that is ordered (Amazon Redshift, Database Developer Guide, "SUM window function"). Sums are cast
 * to bigint, since Trino does not read PostgreSQL's numeric without a precision; ranks are decimals, so that products are exact.
 */
export function quantileSelect(view: QuantileView, from: string, quote: (name: string) => string): string {
  const groups = view.groupBy.map(quote).join(', ')
  const partition = groups === '' ? '' : `PARTITION BY ${groups}`
  const count = quote(view.count)
  const bucket = quote(view.bucket)
  const value = valueExpression(new LogBuckets(view.accuracy), 'millrace_bucket')
  const quantiles = view.quantiles.map(({ column, rank }) => {
    const reached = `millrace_running >= ${decimal(rank)} * millrace_total`
    return `MIN(CASE WHEN ${reached} THEN millrace_value END) AS ${quote(column)}`
  })
  return `SELECT ${[...view.groupBy.map(quote), `MAX(millrace_total) AS ${count}`, ...quantiles].join(', ')}
FROM (
  SELECT ${[...view.groupBy.map(quote), 'millrace_running', 'millrace_total', `${value} AS millrace_value`].join(', ')}
  FROM (
    SELECT ${groups === '' ? '' : `${groups}, `}${bucket} AS millrace_bucket,
      CAST(SUM(${count}) OVER (${partition} ORDER BY ${bucket} ROWS UNBOUNDED PRECEDING) AS BIGINT) AS millrace_running,
      CAST(SUM(${count}) OVER (${partition}) AS BIGINT) AS millrace_total
    FROM ${from}
    WHERE ${count} > 0
  ) AS millrace_buckets
) AS millrace_values
${groups === '' ? 'HAVING COUNT(*) > 0' : `GROUP BY ${groups}`}`
}

/** `LogBuckets.valueOf` in SQL. */
function valueExpression({ accuracy, logGamma, shift }: LogBuckets, bucket: string): string {
  const size = (number: string) =>
    `EXP((${number} - ${shift}) * CAST(${logGamma} AS DOUBLE PRECISION)) * CAST(${1 - accuracy} AS DOUBLE PRECISION)`
  return `CASE WHEN ${bucket} > 0 THEN ${size(bucket)} WHEN ${bucket} < 0 THEN -${size(`-${bucket}`)} ELSE CAST(0 AS DOUBLE PRECISION) END`
}

function decimal(rank: number): string {
  return rank.toFixed(RANK_DIGITS).replace(/\.?0+$/, '')
}
