import type { Aggregation, Measure } from '../topology/measure.js'
import { type MeasureOptions, wholeValueMeasure } from './measure-of.js'

const COUNT: Aggregation<number, unknown, number> = Object.freeze({
  signature: 'count',
  mergeable: true,
  custom: false,
  zero: () => 0,
  add: (state: number) => state + 1,
  merge: (a: number, b: number) => a + b,
  result: (state: number) => state,
  stateSchema: 'long',
  zeroDefault: 0,
  encode: (state: number) => state,
  decode: (encoded: unknown) => encoded as number,
  column: 'long' as const,
  nullable: false,
  resultSchema: 'long',
})

/** The number of records, those with a null value included: a `long` column. */
export function count<V>(options?: NoInfer<MeasureOptions<V>>): Measure<V, number> {
  return wholeValueMeasure('count', options, COUNT)
}
