import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'

/** Where a record was read: what `first` and `last` order records of one timestamp by. */
export interface Position {
  readonly timestamp: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Ordinal among the records that a flatMap (or an rx operator) made of one source record; 0 for the first. */
  readonly index: number
}

/**
 * How one measure is kept: a commutative monoid (DESIGN section 3), unless `mergeable` is false.
 *
 * `S` is the state in memory. `add` and `merge` of the built-in aggregates may change and return the state that they
 * were given first, and never throw; those of custom ones (`custom: true`) return a new state, may throw, and may return
 * null from `add`, which deletes the window's row. No state is used again after it was passed to `merge` as second argument.
 */
export interface Aggregation<S = unknown, I = unknown, R = unknown> {
  /** Names what the state means, for the check of an edited topology: `count`, `sum(int)`, `first(text)`, `custom`. */
  readonly signature: string
  readonly mergeable: boolean
  readonly custom: boolean
  zero(): S
  /** `input` is the measure's field or expression, never null; the whole value (null possible) where the measure has no input. */
  add(state: S, input: I, at: Position): S | null
  merge(a: S, b: S): S
  /** @throws MillraceError DISTINCT_LIMIT where the state stands for more than it could hold. */
  result(state: S): R
  /** Avro schema of `encode`'s answer, a field's type; its zero as Avro's JSON default. */
  readonly stateSchema: AvroSchema
  readonly zeroDefault: unknown
  encode(state: S): unknown
  decode(encoded: unknown): S
  /** Type of the result where a table's column can hold it. */
  readonly column: ColumnType | undefined
  readonly nullable: boolean
  /** Longest result in bytes, where the column is text or bytes and has a limit. */
  readonly maxBytes?: number
  /** Avro schema of the result, for output topics. */
  readonly resultSchema: AvroSchema
}

/** A typed expression over a value: `double(e => e.durationMs / 60_000)`. */
export interface Expression<V, T> {
  readonly kind: 'expression'
  readonly type: ColumnType
  readonly evaluate: (value: V) => T
  /** The field that it is computed from, where it was given by name. */
  readonly field?: string
  /** Only of a logarithmic bucket (`logBucket`): its relative accuracy. */
  readonly accuracy?: number
}

/** A field by name, or a typed expression. */
export type FieldInput = string | Expression<never, unknown>

/** A predicate as data (all fields must match; a list matches any of its elements), or a function. */
export type Predicate = Readonly<Record<string, unknown>> | ((value: never) => boolean)

/** One measure of `aggregate('name', { events: count(), … })`: data, frozen. */
export interface Measure<V = never, R = unknown> {
  readonly kind: string
  /** Absent: the aggregation takes whole values. */
  readonly input?: FieldInput
  readonly where?: Predicate
  /**
   * The aggregation for an input of this type; `undefined` where the measure has no input.
   * @throws MillraceError INVALID_TOPOLOGY when the aggregate does not take that type, saying which it takes.
   */
  readonly resolve: (input: ColumnType | undefined) => Aggregation
  /** Types only. */
  readonly _value?: (value: V) => void
  readonly _result?: R
}
