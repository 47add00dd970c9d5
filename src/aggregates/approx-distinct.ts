import type { Measure } from '../topology/measure.js'
import type { Ordered, Sel } from './field.js'
import { hyperLogLogMeasure } from './hyper-log-log-measure.js'
import type { MeasureOptions } from './measure-of.js'

/** Options of {@link approxDistinct}. */
export interface ApproxDistinctOptions<V> extends MeasureOptions<V> {
  /** Relative standard error, from 0.0040625 to 0.26. Default 0.023, as Trino's `approx_distinct`. */
  readonly standardError?: number
}

const DEFAULT_STANDARD_ERROR = 0.023

/**
 * The estimated number of different values of a field or expression, a `long` column: HyperLogLog in at most about 1 KB a key
 * and window (2,048 registers at the default error), near exact up to 251 values. Such numbers cannot be summed over windows:
 * `distinctSketch` keeps what can be merged.
 *
 * Values are hashed with Murmur3_128 and kept in Airlift's registers. 0 and -0 are one value, and so are all NaN.
 *
 * @param options `standardError`: relative, from 0.0040625 to 0.26, default 0.023. The registers are the next power of two from
 * 1.0816 / standardError², as in Trino.
 * @throws MillraceError INVALID_OPTION when the standard error is out of range.
 */
export function approxDistinct<V>(
  field: Sel<V, Ordered>,
  options?: NoInfer<ApproxDistinctOptions<V>>,
): Measure<V, number> {
  const standardError = { given: options?.standardError, default: DEFAULT_STANDARD_ERROR }
  return hyperLogLogMeasure('approxDistinct', field, options, standardError, {
    name: 'approx-distinct',
    result: state => state.estimate(),
    column: 'long',
    resultSchema: 'long',
  })
}
