import type { Measure } from '../topology/measure.js'
import type { Ordered, Sel } from './field.js'
import { hyperLogLogMeasure } from './hyper-log-log-measure.js'
import type { MeasureOptions } from './measure-of.js'

/** Options of {@link distinctSketch}. */
export interface DistinctSketchOptions<V> extends MeasureOptions<V> {
  /** Relative standard error, from 0.0040625 to 0.26. Default 0.01625, as Trino's `approx_set`. */
  readonly standardError?: number
}

const DEFAULT_STANDARD_ERROR = 0.01625

/**
 * What is counted of the different values of a field or expression, as a `bytes` column: the HyperLogLog registers in Airlift's
 * serialisation, which Trino merges over any rows (types, days, regions) without counting a value twice:
 *
 * `SELECT quest_type, cardinality(merge(cast(players AS HyperLogLog))) FROM quest_minute GROUP BY quest_type`
 *
 * At the default error the bytes are those of `cast(approx_set(user_id) AS varbinary)` over the same values, so that both merge
 * with one another; text is hashed by its UTF-8 bytes, `int` and `long` as bigint, `double` as double (0 and -0 are one value here
 * and two in Trino), `bool` as 0 or 1, `timestamp` as its ms since 1970. Sketches of different errors do not merge.
 * At most about 2 KB a row, 4 bytes a value up to 511 of them. Where a number is enough, `approxDistinct` is smaller.
 *
 * @param options `standardError`: relative, from 0.0040625 to 0.26, default 0.01625 (4,096 registers).
 * @throws MillraceError INVALID_OPTION when the standard error is out of range.
 */
export function distinctSketch<V>(
  field: Sel<V, Ordered>,
  options?: NoInfer<DistinctSketchOptions<V>>,
): Measure<V, Buffer> {
  const standardError = { given: options?.standardError, default: DEFAULT_STANDARD_ERROR }
  return hyperLogLogMeasure('distinctSketch', field, options, standardError, {
    name: 'distinct-sketch',
    result: state => state.encode(),
    column: 'bytes',
    resultSchema: 'bytes',
    // Half a byte a register, and 3 bytes for each of the few that stand out: twice as much is never reached.
    maxBytes: indexBits => (1 << indexBits) + 64,
  })
}
