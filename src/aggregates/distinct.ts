import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import type { Aggregation, Measure } from '../topology/measure.js'
import type { Ordered, Sel } from './field.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'
import { nullableResultSchema } from './result-schema.js'
import { SCALARS, type Scalar } from './scalar.js'

/** Options of {@link distinct}. */
export interface DistinctOptions<V> extends MeasureOptions<V> {
  /** How many values a key and window may have. Default 10,000. */
  readonly limit?: number
}

const DEFAULT_LIMIT = 10_000

/** `values` is undefined where there were more than the limit: that state absorbs all others, so that order does not matter. */
interface State<T> {
  values: Set<T> | undefined
}

function distinctOf<T extends string | number | bigint | boolean>(
  scalar: Scalar<T>,
  limit: number,
): Aggregation<State<T>, never, number> {
  const addValue = (state: State<T>, value: T): void => {
    if (state.values && state.values.add(value).size > limit) state.values = undefined
  }
  return Object.freeze({
    signature: `distinct(${scalar.type})`,
    mergeable: true,
    custom: false,
    zero: () => ({ values: new Set<T>() }),
    add: (state: State<T>, input: never) => {
      addValue(state, scalar.normalize(input))
      return state
    },
    merge: (a: State<T>, b: State<T>) => {
      if (!a.values || !b.values) return { values: undefined }
      const [larger, smaller] = a.values.size >= b.values.size ? [a, b.values] : [b, a.values]
      for (const value of smaller) addValue(larger, value)
      return larger
    },
    result: (state: State<T>) => {
      if (state.values) return state.values.size
      throw new MillraceError(
        'DISTINCT_LIMIT',
        `distinct met more than ${limit} different values in one window of one key, its limit. ` +
          'Use approxDistinct, which needs no limit, or give distinct a larger one: { limit: … }.',
      )
    },
    stateSchema: [{ type: 'array', items: itemsOf(scalar) }, 'null'],
    zeroDefault: [],
    encode: ({ values }: State<T>) =>
      values === undefined ? null : [...values].sort(scalar.compare).map(value => scalar.encode(value)),
    decode: (encoded: unknown) => {
      const state: State<T> = { values: encoded === null ? undefined : new Set() }
      if (encoded !== null) for (const value of encoded as readonly unknown[]) addValue(state, scalar.decode(value))
      return state
    },
    column: 'long' as const,
    // Null in rows where the limit was passed.
    nullable: true,
    resultSchema: nullableResultSchema('long'),
  })
}

function itemsOf<T>({ branches }: Scalar<T>): AvroSchema {
  return branches.length === 1 ? (branches[0] as AvroSchema) : branches
}

/**
 * The exact number of different values of a field or expression, a `long` column. All of them are kept, up to `limit`.
 *
 * 0 and -0 are one value, and so are all NaN.
 *
 * @param options `limit`: how many values a key and window may have, default 10,000. Beyond it the result is
 * null in rows, and a MillraceError DISTINCT_LIMIT says so; `approxDistinct` has no limit. A window that passed the limit stays
 * beyond it, also when the limit is raised later.
 * @throws MillraceError INVALID_OPTION when the limit is not a whole number above zero.
 */
export function distinct<V>(field: Sel<V, Ordered>, options?: NoInfer<DistinctOptions<V>>): Measure<V, number | null> {
  const limit = options?.limit ?? DEFAULT_LIMIT
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The limit of distinct is ${limit}, but must be a whole number above zero. Leave it out for ${DEFAULT_LIMIT}.`,
    )
  }
  return fieldMeasure('distinct', field, options, {
    int: () => distinctOf(SCALARS.int, limit),
    long: () => distinctOf(SCALARS.long, limit),
    decimal: () => distinctOf(SCALARS.decimal, limit),
    double: () => distinctOf(SCALARS.double, limit),
    text: () => distinctOf(SCALARS.text, limit),
    bool: () => distinctOf(SCALARS.bool, limit),
    timestamp: () => distinctOf(SCALARS.timestamp, limit),
  })
}
