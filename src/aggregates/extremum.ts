import type { ColumnType } from '../model/column.js'
import type { Aggregation } from '../topology/measure.js'
import { nullableResultSchema } from './result-schema.js'
import type { Scalar } from './scalar.js'
import { SCALARS } from './scalar.js'

function extremum<T>(kind: 'min' | 'max', scalar: Scalar<T>): Aggregation<T | undefined, never, unknown> {
  const sign = kind === 'min' ? 1 : -1
  const better = (state: T | undefined, value: T): T =>
    state === undefined || scalar.compare(value, state) * sign < 0 ? value : state
  return Object.freeze({
    signature: `${kind}(${scalar.type})`,
    mergeable: true,
    custom: false,
    zero: () => undefined,
    add: (state: T | undefined, input: never) => better(state, scalar.normalize(input)),
    merge: (a: T | undefined, b: T | undefined) => (b === undefined ? a : better(a, b)),
    result: (state: T | undefined) => (state === undefined ? null : scalar.result(state)),
    stateSchema: ['null', ...scalar.branches],
    zeroDefault: null,
    encode: (state: T | undefined) => (state === undefined ? null : scalar.encode(state)),
    decode: (encoded: unknown) => (encoded === null ? undefined : scalar.decode(encoded)),
    column: scalar.type,
    nullable: true,
    resultSchema: nullableResultSchema(scalar.type),
  })
}

/** The aggregations of `min` or `max`, by the type of their input. */
export function extrema(kind: 'min' | 'max'): Partial<Record<ColumnType, () => Aggregation>> {
  return {
    int: () => extremum(kind, SCALARS.int),
    long: () => extremum(kind, SCALARS.long),
    decimal: () => extremum(kind, SCALARS.decimal),
    double: () => extremum(kind, SCALARS.double),
    text: () => extremum(kind, SCALARS.text),
    bool: () => extremum(kind, SCALARS.bool),
    timestamp: () => extremum(kind, SCALARS.timestamp),
  }
}
