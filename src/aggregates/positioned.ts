import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'
import type { Aggregation, Position } from '../topology/measure.js'
import { nullableResultSchema } from './result-schema.js'
import { SCALARS, type Scalar } from './scalar.js'
import { compareText } from './text-order.js'

/** A value and where it was read. */
interface Positioned<T> extends Position {
  timestamp: number
  topic: string
  partition: number
  offset: number
  index: number
  value: T
}

function comparePositions(a: Position, b: Position): number {
  return (
    a.timestamp - b.timestamp ||
    (a.topic === b.topic ? 0 : compareText(a.topic, b.topic)) ||
    a.partition - b.partition ||
    a.offset - b.offset ||
    a.index - b.index
  )
}

function positioned<T>(
  kind: 'first' | 'last',
  scalar: Scalar<T>,
): Aggregation<Positioned<T> | undefined, never, unknown> {
  const sign = kind === 'first' ? 1 : -1
  type State = Positioned<T> | undefined
  return Object.freeze({
    signature: `${kind}(${scalar.type})`,
    mergeable: true,
    custom: false,
    zero: () => undefined,
    add: (state: State, input: never, at: Position) => {
      if (state === undefined) {
        const { timestamp, topic, partition, offset, index } = at
        return { timestamp, topic, partition, offset, index, value: scalar.normalize(input) }
      }
      const order = comparePositions(at, state) || scalar.compare(scalar.normalize(input), state.value)
      if (order * sign < 0) {
        state.timestamp = at.timestamp
        state.topic = at.topic
        state.partition = at.partition
        state.offset = at.offset
        state.index = at.index
        state.value = scalar.normalize(input)
      }
      return state
    },
    merge: (a: State, b: State) => {
      if (a === undefined || b === undefined) return a ?? b
      return (comparePositions(b, a) || scalar.compare(b.value, a.value)) * sign < 0 ? b : a
    },
    result: (state: State) => (state === undefined ? null : scalar.result(state.value)),
    // Position and value in one list; empty where there was none. (A record would need a name of its own in each schema.)
    stateSchema: { type: 'array', items: listItems(scalar) },
    zeroDefault: [],
    encode: (state: State) =>
      state === undefined
        ? []
        : [state.timestamp, state.topic, state.partition, state.offset, state.index, scalar.encode(state.value)],
    decode: (encoded: unknown): State => {
      const parts = encoded as readonly unknown[]
      if (parts.length === 0) return undefined
      const [timestamp, topic, partition, offset, index, value] = parts as [
        number,
        string,
        number,
        number,
        number,
        unknown,
      ]
      return { timestamp, topic, partition, offset, index, value: scalar.decode(value) }
    },
    column: scalar.type,
    nullable: true,
    resultSchema: nullableResultSchema(scalar.type),
  })
}

/** Branches for positions and values: one for all numbers, since avsc cannot tell several of them apart. */
function listItems(scalar: Scalar<unknown>): readonly AvroSchema[] {
  const numbers = scalar.type === 'double' ? 'double' : 'long'
  return [...new Set<AvroSchema>([numbers, 'string', ...scalar.branches.filter(branch => branch !== 'int')])]
}

/** The aggregations of `first` or `last`, by the type of their input. */
export function positionedAggregations(kind: 'first' | 'last'): Partial<Record<ColumnType, () => Aggregation>> {
  return {
    int: () => positioned(kind, SCALARS.int),
    long: () => positioned(kind, SCALARS.long),
    decimal: () => positioned(kind, SCALARS.decimal),
    double: () => positioned(kind, SCALARS.double),
    text: () => positioned(kind, SCALARS.text),
    bool: () => positioned(kind, SCALARS.bool),
    timestamp: () => positioned(kind, SCALARS.timestamp),
    bytes: () => positioned(kind, SCALARS.bytes),
  }
}
