import { MillraceError } from '../model/errors.js'
import { DEFAULT_ACCURACY, LogBuckets } from '../model/log-buckets.js'
import { compileInput } from '../topology/field-input.js'
import type { Field, Sel } from './field.js'

/** Options of {@link logBucket}. */
export interface LogBucketOptions {
  /** Largest relative error of a quantile, from 0.0001 to 0.5. Default 0.01. */
  readonly accuracy?: number
}

/**
 * The number of a value's logarithmic bucket, a typed expression of type `int` for a key column. Counts a bucket give quantiles by plain
 * SQL, over any windows and keys, each within `accuracy` of the exact one: what a median of medians does not.
 *
 * `repartition('by-type-and-bucket', { by: { questType: 'questType', bucket: logBucket('durationMs') } })`, then `count()`, then
 * `warehouse('quest_durations', { quantiles: { view: 'quest_quantiles', bucket: 'bucket', count: 'events', ranks: { p50: 0.5 } } })`.
 *
 * Buckets as of DDSketch (Masson, Rim, Lee 2019), numbered in the order of the values: 0 holds zero and what is closer to it than
 * 1e-300, negative numbers hold negative values; beyond ±1e300 all is one bucket. A factor of 10 takes at most 116 buckets at the default accuracy.
 *
 * Evaluation throws MillraceError USER_CODE for NaN and for what is no number. A key column takes no null: filter null values before.
 *
 * @throws MillraceError INVALID_OPTION when the accuracy is out of range.
 */
export function logBucket<V>(field: Sel<V, number | bigint>, options?: LogBucketOptions): Field<V, number> {
  const buckets = new LogBuckets(options?.accuracy ?? DEFAULT_ACCURACY)
  const read = compileInput(field)
  return Object.freeze({
    kind: 'expression' as const,
    type: 'int' as const,
    accuracy: buckets.accuracy,
    ...(typeof field === 'string' && { field }),
    evaluate: (value: V) => {
      const input = read(value)
      // The key says itself that it takes no null.
      if (input === null) return input as never
      const bucket =
        typeof input === 'number' || typeof input === 'bigint' ? buckets.bucketOf(Number(input)) : Number.NaN
      if (Number.isNaN(bucket)) {
        const what = typeof field === 'string' ? `logBucket('${field}')` : 'logBucket'
        throw new MillraceError(
          'USER_CODE',
          `${what} takes numbers, but got ${String(input)}. Filter such values before.`,
        )
      }
      return bucket
    },
  })
}
