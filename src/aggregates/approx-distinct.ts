import type { ColumnType } from '../model/column.js'
import { MillraceError } from '../model/errors.js'
import type { Aggregation, Measure } from '../topology/measure.js'
import type { Ordered, Sel } from './field.js'
import { HyperLogLog } from './hyper-log-log.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'
import { VALUE_HASHES, type ValueHash } from './value-hash.js'

/** Options of {@link approxDistinct}. */
export interface ApproxDistinctOptions<V> extends MeasureOptions<V> {
  /** Relative standard error, from 0.0040625 to 0.26. Default 0.023, as Trino's `approx_distinct`. */
  readonly standardError?: number
}

const DEFAULT_STANDARD_ERROR = 0.023
const LOWEST_STANDARD_ERROR = 0.0040625
const HIGHEST_STANDARD_ERROR = 0.26

const hash = new Int32Array(2)

function approxDistinctOf(
  input: ColumnType,
  hashOf: ValueHash,
  indexBits: number,
): Aggregation<HyperLogLog, never, number> {
  return Object.freeze({
    signature: `approx-distinct(${input}, ${1 << indexBits} registers)`,
    mergeable: true,
    custom: false,
    zero: () => new HyperLogLog(indexBits),
    add: (state: HyperLogLog, value: never) => {
      hashOf(value, hash)
      state.add(hash[0] as number, hash[1] as number)
      return state
    },
    merge: (a: HyperLogLog, b: HyperLogLog) => {
      a.merge(b)
      return a
    },
    result: (state: HyperLogLog) => state.estimate(),
    stateSchema: 'bytes',
    zeroDefault: new HyperLogLog(indexBits).encode().toString('latin1'),
    encode: (state: HyperLogLog) => state.encode(),
    decode: (encoded: unknown) => HyperLogLog.decode(encoded as Buffer),
    column: 'long' as const,
    nullable: false,
    resultSchema: 'long',
  })
}

/**
 * The estimated number of different values of a field or expression, a `long` column: HyperLogLog in at most about 1 KB a key
 * and window (2,048 registers at the default error), near exact up to 256 values.
 *
 * Values are hashed with Murmur3_128 and kept in Airlift's registers, so that the state can be merged with Trino's `approx_set`
 * of the same number of registers. 0 and -0 are one value, and so are all NaN.
 *
 * @param options `standardError`: relative, from 0.0040625 to 0.26, default 0.023. The registers are the next power of two from
 * 1.0816 / standardError², as in Trino.
 * @throws MillraceError INVALID_OPTION when the standard error is out of range.
 */
export function approxDistinct<V>(
  field: Sel<V, Ordered>,
  options?: NoInfer<ApproxDistinctOptions<V>>,
): Measure<V, number> {
  const indexBits = indexBitsFor(options?.standardError ?? DEFAULT_STANDARD_ERROR)
  return fieldMeasure('approxDistinct', field, options, {
    int: () => approxDistinctOf('int', VALUE_HASHES.int, indexBits),
    long: () => approxDistinctOf('long', VALUE_HASHES.long, indexBits),
    double: () => approxDistinctOf('double', VALUE_HASHES.double, indexBits),
    text: () => approxDistinctOf('text', VALUE_HASHES.text, indexBits),
    bool: () => approxDistinctOf('bool', VALUE_HASHES.bool, indexBits),
    timestamp: () => approxDistinctOf('timestamp', VALUE_HASHES.timestamp, indexBits),
  })
}

function indexBitsFor(standardError: number): number {
  if (!(standardError >= LOWEST_STANDARD_ERROR && standardError <= HIGHEST_STANDARD_ERROR)) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The standardError of approxDistinct is ${standardError}, but must be from ${LOWEST_STANDARD_ERROR} to ` +
        `${HIGHEST_STANDARD_ERROR}. Leave it out for ${DEFAULT_STANDARD_ERROR}.`,
    )
  }
  return 32 - Math.clz32(Math.ceil(1.0816 / (standardError * standardError)) - 1)
}
