import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'
import { MillraceError } from '../model/errors.js'
import type { Aggregation, FieldInput, Measure } from '../topology/measure.js'
import { HyperLogLog } from './hyper-log-log.js'
import { fieldMeasure, type MeasureOptions } from './measure-of.js'
import { VALUE_HASHES, type ValueHash } from './value-hash.js'

const LOWEST_STANDARD_ERROR = 0.0040625
const HIGHEST_STANDARD_ERROR = 0.26

/** What a measure answers from a HyperLogLog state. */
export interface SketchAnswer<R> {
  /** Begins the signature of the aggregation. */
  readonly name: string
  result(state: HyperLogLog): R
  readonly column: ColumnType
  readonly resultSchema: AvroSchema
  /** Longest result in bytes, where results are bytes. */
  maxBytes?(indexBits: number): number
}

const hash = new Int32Array(2)

function aggregationOf<R>(
  answer: SketchAnswer<R>,
  input: ColumnType,
  hashOf: ValueHash,
  indexBits: number,
): Aggregation<HyperLogLog, never, R> {
  const maxBytes = answer.maxBytes?.(indexBits)
  return Object.freeze({
    signature: `${answer.name}(${input}, ${1 << indexBits} registers)`,
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
    result: answer.result,
    stateSchema: 'bytes',
    zeroDefault: new HyperLogLog(indexBits).encode().toString('latin1'),
    encode: (state: HyperLogLog) => state.encode(),
    decode: (encoded: unknown) => HyperLogLog.decode(encoded as Buffer),
    column: answer.column,
    nullable: false,
    resultSchema: answer.resultSchema,
    ...(maxBytes !== undefined && { maxBytes }),
  })
}

/**
 * A measure over a HyperLogLog state of a field or expression.
 * @throws MillraceError INVALID_OPTION when the standard error is out of range.
 */
export function hyperLogLogMeasure<V, R>(
  kind: string,
  field: FieldInput,
  options: MeasureOptions<V> | undefined,
  standardError: { readonly given: number | undefined; readonly default: number },
  answer: SketchAnswer<R>,
): Measure<V, R> {
  const indexBits = indexBitsFor(kind, standardError.given ?? standardError.default, standardError.default)
  const types = Object.keys(VALUE_HASHES) as (keyof typeof VALUE_HASHES)[]
  const aggregations = types.map(type => [type, () => aggregationOf(answer, type, VALUE_HASHES[type], indexBits)])
  return fieldMeasure(kind, field, options, Object.fromEntries(aggregations))
}

/** The bits of the next power of two from 1.0816 / standardError², as in Trino. */
function indexBitsFor(kind: string, standardError: number, otherwise: number): number {
  if (!(standardError >= LOWEST_STANDARD_ERROR && standardError <= HIGHEST_STANDARD_ERROR)) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The standardError of ${kind} is ${standardError}, but must be from ${LOWEST_STANDARD_ERROR} to ` +
        `${HIGHEST_STANDARD_ERROR}. Leave it out for ${otherwise}.`,
    )
  }
  return 32 - Math.clz32(Math.ceil(1.0816 / (standardError * standardError)) - 1)
}
