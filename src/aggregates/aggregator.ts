import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'
import { MillraceError } from '../model/errors.js'
import type { Aggregation, Measure, Position } from '../topology/measure.js'
import { jsonDefault } from './json-default.js'
import { type MeasureOptions, wholeValueMeasure } from './measure-of.js'

/** What {@link aggregator} is made of. */
export interface AggregatorOptions<V, S, R = S> extends MeasureOptions<V> {
  /** Avro schema of the state. What `add` and `merge` answer must be a value of it, as avsc takes it. */
  readonly state: AvroSchema
  /** The state of a window without records, or a function that makes it. It must be JSON, or Buffers in JSON. */
  readonly zero: S | (() => S)
  /**
   * The state with a value added: a new state, the given one must not be changed. Null deletes the window's row, and the next
   * record starts from zero. The value can be null where the source keeps null values.
   */
  readonly add: (state: S, value: V, at: Position) => S | null
  /**
   * The state of both arguments' records: a new one. It must be associative and commutative with `zero` as its identity, and agree
   * with `add`. Without it records are not combined before a repartition, and each is sent.
   */
  readonly merge?: (a: S, b: S) => S
  /** What rows hold. Default: the state. */
  readonly result?: (state: S) => R
  /** Type of the result, where a warehouse column shall hold it. Absent: the measure cannot go to a warehouse. */
  readonly column?: ColumnType
  /** Avro schema of the result, for output topics. Default: the schema of the state. */
  readonly resultSchema?: AvroSchema
}

function refuseMerge(): never {
  throw new MillraceError(
    'INVALID_TOPOLOGY',
    'This aggregator has no merge, so its states cannot be merged. Give it a merge function.',
  )
}

/**
 * A custom aggregate. With `merge` it is combined before a repartition like the built-in ones.
 *
 * @example
 * const spread = aggregator({
 *   state: { type: 'array', items: 'int' },
 *   zero: [] as number[],
 *   add: (state, event: QuestEvent) => [Math.min(event.level, ...state), Math.max(event.level, ...state)],
 *   result: ([low = 0, high = 0]) => high - low,
 *   column: 'int',
 *   resultSchema: 'int',
 * })
 * @throws MillraceError INVALID_TOPOLOGY when `zero` is not JSON: it stands as Avro default in the schema of stored state.
 */
export function aggregator<V, S, R = S>(options: AggregatorOptions<V, S, R>): Measure<V, R> {
  const { state, add, merge, result } = options
  const zero = typeof options.zero === 'function' ? (options.zero as () => S) : () => options.zero as S
  const aggregation: Aggregation<S, V, S | R> = Object.freeze({
    signature: 'custom',
    mergeable: merge !== undefined,
    custom: true,
    zero,
    add,
    merge: merge ?? refuseMerge,
    result: result ?? ((state: S) => state),
    stateSchema: state,
    zeroDefault: jsonDefault(zero()),
    encode: (state: S) => state,
    decode: (encoded: unknown) => encoded as S,
    column: options.column,
    nullable: true,
    resultSchema: options.resultSchema ?? state,
  })
  return wholeValueMeasure('aggregator', options, aggregation)
}
