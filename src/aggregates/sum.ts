import type { Aggregation, Measure } from '../topology/measure.js'
import { EXACT_SUM_BRANCHES, ExactSum } from './exact-sum.js'
import type { Sel } from './field.js'
import { addIntegers, decodeInteger, encodeInteger, INTEGER_BRANCHES, type Integer } from './integer.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'
import { resultSchema } from './result-schema.js'

const DOUBLES: Aggregation<ExactSum, number, number> = Object.freeze({
  signature: 'sum(double)',
  mergeable: true,
  custom: false,
  zero: () => new ExactSum(),
  add: (state: ExactSum, input: number) => {
    state.add(input)
    return state
  },
  merge: (a: ExactSum, b: ExactSum) => {
    a.addSum(b)
    return a
  },
  result: (state: ExactSum) => state.round(),
  stateSchema: EXACT_SUM_BRANCHES,
  zeroDefault: [],
  encode: (state: ExactSum) => state.encode(),
  decode: (encoded: unknown) => ExactSum.decode(encoded),
  column: 'double' as const,
  nullable: false,
  resultSchema: 'double',
})

function integers(
  input: 'int' | 'long' | 'decimal',
  column: 'long' | 'decimal',
): Aggregation<Integer, Integer, Integer> {
  return Object.freeze({
    signature: `sum(${input})`,
    mergeable: true,
    custom: false,
    zero: () => 0,
    add: addIntegers,
    merge: addIntegers,
    result: (state: Integer) => state,
    stateSchema: INTEGER_BRANCHES,
    zeroDefault: 0,
    encode: encodeInteger,
    decode: decodeInteger,
    column,
    nullable: false,
    resultSchema: resultSchema(column),
  })
}

const INTS = integers('int', 'long')
const LONGS = integers('long', 'decimal')
const DECIMALS = integers('decimal', 'decimal')

/**
 * The sum of a field or expression; 0 where there was nothing to add.
 *
 * Exact for whole numbers of any size: a number up to 2^53, a bigint beyond it; a column `long` for `int`, `decimal` for `long`
 * (as in PostgreSQL, where sum(integer) is a bigint and sum(bigint) a numeric). Doubles are summed without loss and rounded
 * once: the same result in any order; any NaN, or both infinities, give NaN.
 */
export function sum<V>(field: Sel<V, number | bigint>, options?: NoInfer<MeasureOptions<V>>): Measure<V, number> {
  return fieldMeasure('sum', field, options, {
    int: () => INTS,
    long: () => LONGS,
    decimal: () => DECIMALS,
    double: () => DOUBLES,
  })
}
