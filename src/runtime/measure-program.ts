import type { AvroSchema } from '../model/avro-schema.js'
import { messageOf } from '../model/errors.js'
import type { AvroCodec, AvroSerde } from '../ports/serde.js'
import { compileInput } from '../topology/field-input.js'
import type { Aggregation, Position } from '../topology/measure.js'
import type { AggregateNode, ReduceNode } from '../topology/node.js'
import { compilePredicate } from '../topology/predicate.js'
import { type FieldShape, resolveMeasure } from '../topology/shape.js'
import type { FieldValues } from './field-values.js'

/** Stands for an input that a measure leaves out: its `where` refused the record, or the field is null. */
const LEFT_OUT = Symbol('left out')

/** What a cell of a window table and a combiner's partial have in common. `states` is absent after a deletion. */
export interface Accumulator {
  states: unknown[] | undefined
  /** Highest timestamp of the records in it. */
  timestamp: number
}

interface CompiledMeasure {
  readonly name: string
  readonly aggregation: Aggregation
  readonly where: ((value: unknown) => boolean) | undefined
  /** The input of a value, or the value itself for a measure without one. */
  readonly input: ((value: unknown) => unknown) | undefined
}

/** The measures of one aggregate (or the reducer of a reduce), compiled: how records become states, states rows. */
export class MeasureProgram {
  readonly mergeable: boolean
  /** True where adding runs user code, which may throw. */
  readonly custom: boolean
  /** Schema of the encoded states. */
  readonly schema: AvroSchema
  /** What each measure means, by name, for the check of an edited topology. */
  readonly signatures: Readonly<Record<string, string>>
  private readonly codec: AvroCodec

  private constructor(
    private readonly name: string,
    private readonly measures: readonly CompiledMeasure[],
    private readonly single: boolean,
    serde: AvroSerde,
  ) {
    this.mergeable = measures.every(m => m.aggregation.mergeable)
    this.custom = measures.some(m => m.aggregation.custom)
    this.signatures = Object.fromEntries(measures.map(m => [m.name, m.aggregation.signature]))
    this.schema = {
      type: 'record',
      name: 'State',
      fields: measures.map(({ name, aggregation }) => ({
        name,
        type: aggregation.stateSchema,
        ...(aggregation.zeroDefault === undefined ? {} : { default: aggregation.zeroDefault }),
      })),
    }
    this.codec = serde.codec(this.schema)
  }

  /** `fields` are those of the values. */
  static ofAggregate(node: AggregateNode, fields: readonly FieldShape[] | undefined, serde: AvroSerde): MeasureProgram {
    const measures = Object.entries(node.measures).map(([name, measure]) => {
      const { input, where } = measure
      return {
        name,
        aggregation: resolveMeasure(measure, fields),
        where: where === undefined ? undefined : compilePredicate(where),
        input: input === undefined ? undefined : compileInput(input),
      }
    })
    return new MeasureProgram(node.name, measures, false, serde)
  }

  /** A reduce keeps one value: the first as it is, then what the reducer makes of it and the next one. */
  static ofReduce(node: ReduceNode, valueSchema: AvroSchema, values: FieldValues, serde: AvroSerde): MeasureProgram {
    const reducer = node.reducer as (a: unknown, b: unknown) => unknown
    const aggregation: Aggregation = {
      signature: 'reduce',
      mergeable: false,
      custom: true,
      zero: () => undefined,
      add: (state, value) => (state === undefined ? value : reducer(state, value)) as unknown,
      merge: a => a,
      result: state => state,
      stateSchema: valueSchema,
      zeroDefault: undefined,
      encode: state => values.toAvro(state as Record<string, unknown>),
      decode: encoded => values.fromAvro(encoded as Record<string, unknown>),
      column: undefined,
      nullable: false,
      resultSchema: valueSchema,
    }
    return new MeasureProgram(
      node.name,
      [{ name: 'value', aggregation, where: undefined, input: undefined }],
      true,
      serde,
    )
  }

  /** Reads the measures' inputs off a value into `inputs`. Runs user code and may throw what it throws. */
  read(value: unknown, inputs: unknown[]): void {
    const { measures } = this
    for (let i = 0; i < measures.length; i++) {
      const { where, input } = measures[i]!
      if (where !== undefined && (value === null || !where(value))) inputs[i] = LEFT_OUT
      else if (input === undefined) inputs[i] = value
      else {
        const field = value === null ? null : input(value)
        inputs[i] = field === null || field === undefined ? LEFT_OUT : field
      }
    }
  }

  /**
   * New states of the custom measures after one more record, without changing `states`; null where the row is deleted.
   * Runs user code and may throw what it throws. States of the other measures are passed on as they are.
   */
  stage(states: unknown[] | undefined, inputs: readonly unknown[], at: Position): unknown[] | null {
    const next = states === undefined ? this.zero() : states.slice()
    for (let i = 0; i < this.measures.length; i++) {
      const { aggregation } = this.measures[i]!
      if (!aggregation.custom || inputs[i] === LEFT_OUT) continue
      const state = aggregation.add(next[i], inputs[i], at)
      if (state === null) return null
      next[i] = state
    }
    return next
  }

  /** Adds one record. `staged` is what `stage` answered where the program is custom. */
  add(
    into: Accumulator,
    inputs: readonly unknown[],
    staged: unknown[] | null | undefined,
    at: Position,
    timestamp: number,
  ): void {
    if (staged === null) {
      into.timestamp = Math.max(into.timestamp, timestamp)
      into.states = undefined
      return
    }
    if (into.states === undefined) {
      into.states = this.zero()
      into.timestamp = timestamp
    } else if (timestamp > into.timestamp) into.timestamp = timestamp
    const { states } = into
    for (let i = 0; i < this.measures.length; i++) {
      const input = inputs[i]
      if (input === LEFT_OUT) continue
      const { aggregation } = this.measures[i]!
      states[i] = aggregation.custom ? staged![i] : aggregation.add(states[i], input, at)
    }
  }

  /** Merges states and their timestamp into an accumulator. `states` must not be used afterwards. */
  merge(into: Accumulator, states: unknown[], timestamp: number): void {
    if (into.states === undefined) {
      into.states = states
      into.timestamp = timestamp
      return
    }
    if (timestamp > into.timestamp) into.timestamp = timestamp
    for (let i = 0; i < this.measures.length; i++) {
      into.states[i] = this.measures[i]!.aggregation.merge(into.states[i], states[i])
    }
  }

  /**
   * The row of these states. A measure whose result cannot be told (a `distinct` over its limit, user code that
   * throws) is null in it, and `onError` is told why.
   */
  row(states: readonly unknown[], onError: (measure: string, thrown: unknown) => void): unknown {
    if (this.single) return states[0]
    const row: Record<string, unknown> = {}
    for (let i = 0; i < this.measures.length; i++) {
      const { name, aggregation } = this.measures[i]!
      try {
        row[name] = aggregation.result(states[i])
      } catch (thrown) {
        row[name] = null
        onError(`${this.name}.${name}: ${messageOf(thrown)}`, thrown)
      }
    }
    return row
  }

  encode(states: readonly unknown[]): Buffer {
    const record: Record<string, unknown> = {}
    for (let i = 0; i < this.measures.length; i++) {
      const { name, aggregation } = this.measures[i]!
      record[name] = aggregation.encode(states[i])
    }
    return this.codec.encode(record)
  }

  /** A decoder of states that were written with `schema`; measures that it lacks start at zero. */
  decoder(schema: AvroSchema = this.schema): (data: Buffer, start: number, end: number) => unknown[] {
    const decode = schema === this.schema ? this.codec.decode : this.codec.reading(schema)
    return (data, start, end) => {
      const record = decode(data, start, end) as Record<string, unknown>
      return this.measures.map(({ name, aggregation }) => aggregation.decode(record[name]))
    }
  }

  zero(): unknown[] {
    return this.measures.map(m => m.aggregation.zero())
  }
}
