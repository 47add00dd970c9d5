import type { AvroSchema } from '../model/avro-schema.js'
import type { Aggregation, Measure } from '../topology/measure.js'
import { EXACT_SUM_BRANCHES, ExactSum } from './exact-sum.js'
import type { Sel } from './field.js'
import { addIntegers, decodeInteger, encodeInteger, INTEGER_BRANCHES, type Integer } from './integer.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'
import { roundQuotient } from './quotient.js'
import { nullableResultSchema } from './result-schema.js'

/** How many values were added, and their exact sum. */
interface State<S> {
  count: number
  sum: S
}

/** How the sum under a mean is kept. `add` and `merge` may change their first argument. */
interface Summing<S, I> {
  readonly branches: readonly AvroSchema[]
  zero(): S
  add(sum: S, input: I): S
  merge(a: S, b: S): S
  divide(sum: S, count: number): number
  encode(sum: S): unknown
  decode(encoded: unknown): S
}

const INTEGERS: Summing<Integer, Integer> = {
  branches: INTEGER_BRANCHES,
  zero: () => 0,
  add: addIntegers,
  merge: addIntegers,
  divide: (sum, count) => (typeof sum === 'number' ? sum / count : roundQuotient(sum, BigInt(count))),
  encode: encodeInteger,
  decode: decodeInteger,
}

const DOUBLES: Summing<ExactSum, number> = {
  branches: ['long', ...EXACT_SUM_BRANCHES],
  zero: () => new ExactSum(),
  add: (sum, input) => {
    sum.add(input)
    return sum
  },
  merge: (a, b) => {
    a.addSum(b)
    return a
  },
  divide: (sum, count) => sum.roundMean(count),
  encode: sum => sum.encode(),
  decode: ExactSum.decode,
}

function meanOf<S, I>(input: string, summing: Summing<S, I>): Aggregation<State<S>, I, number | null> {
  return Object.freeze({
    signature: `mean(${input})`,
    mergeable: true,
    custom: false,
    zero: () => ({ count: 0, sum: summing.zero() }),
    add: (state: State<S>, value: I) => {
      state.count++
      state.sum = summing.add(state.sum, value)
      return state
    },
    merge: (a: State<S>, b: State<S>) => {
      a.count += b.count
      a.sum = summing.merge(a.sum, b.sum)
      return a
    },
    result: (state: State<S>) => (state.count === 0 ? null : summing.divide(state.sum, state.count)),
    // Count and sum; empty where nothing was added. (A record would need a name of its own in each schema it is put into.)
    stateSchema: { type: 'array', items: summing.branches },
    zeroDefault: [],
    encode: (state: State<S>) => (state.count === 0 ? [] : [state.count, summing.encode(state.sum)]),
    decode: (encoded: unknown) => {
      const [count = 0, sum] = encoded as [number?, unknown?]
      return { count, sum: count === 0 ? summing.zero() : summing.decode(sum) }
    },
    column: 'double' as const,
    nullable: true,
    resultSchema: nullableResultSchema('double'),
  })
}

/**
 * The arithmetic mean of a field or expression, a `double` column; null where there was nothing.
 *
 * The exact sum is divided by the count and rounded once, for whole numbers beyond 2^53 too: the same result in any order.
 */
export function mean<V>(
  field: Sel<V, number | bigint>,
  options?: NoInfer<MeasureOptions<V>>,
): Measure<V, number | null> {
  return fieldMeasure('mean', field, options, {
    int: () => meanOf('int', INTEGERS),
    long: () => meanOf('long', INTEGERS),
    decimal: () => meanOf('decimal', INTEGERS),
    double: () => meanOf('double', DOUBLES),
  })
}
