import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'
import { decodeInteger, encodeInteger, INTEGER_BRANCHES, type Integer, integer } from './integer.js'
import { compareText, wellFormed } from './text-order.js'

/**
 * How an aggregate keeps single values of one column type: in one form a value (so that equal values have equal bytes), in a
 * total order.
 */
export interface Scalar<T> {
  readonly type: ColumnType
  /** The form in which the value is kept. */
  normalize(input: never): T
  compare(a: T, b: T): number
  /** Avro schemas of `encode`'s answers, to be put in a union. */
  readonly branches: readonly AvroSchema[]
  encode(value: T): unknown
  decode(encoded: unknown): T
  /** What rows hold. */
  result(value: T): unknown
}

const same = <T>(value: T): T => value
const plain = { encode: same, decode: same as (encoded: unknown) => never, result: same }

function integers(type: 'int' | 'long' | 'decimal'): Scalar<Integer> {
  return {
    type,
    normalize: (input: Integer) => integer(input),
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    branches: type === 'int' ? ['int'] : INTEGER_BRANCHES,
    encode: type === 'int' ? same : encodeInteger,
    decode: decodeInteger,
    result: same,
  }
}

/** NaN is above all numbers, as in PostgreSQL, and -0 is below 0. */
function compareDoubles(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return a !== 0 || Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

const double: Scalar<number> = {
  ...plain,
  type: 'double',
  // One NaN for all: their bits may differ.
  normalize: (input: number) => (Number.isNaN(input) ? Number.NaN : input),
  compare: compareDoubles,
  branches: ['double'],
}

const text: Scalar<string> = {
  ...plain,
  type: 'text',
  normalize: (input: string) => wellFormed(input),
  compare: compareText,
  branches: ['string'],
}

const bool: Scalar<boolean> = {
  ...plain,
  type: 'bool',
  normalize: (input: boolean) => input,
  compare: (a, b) => Number(a) - Number(b),
  branches: ['boolean'],
}

const timestamp: Scalar<number> = {
  ...plain,
  type: 'timestamp',
  normalize: (input: number | Date) => Number(input),
  compare: (a, b) => a - b,
  branches: ['long'],
  result: value => new Date(value),
}

const bytes: Scalar<Buffer> = {
  ...plain,
  type: 'bytes',
  // Copied: the input may be a view into a batch.
  normalize: (input: Uint8Array) => Buffer.from(input),
  compare: (a, b) => Buffer.compare(a, b),
  branches: ['bytes'],
}

/** All scalars by column type. */
export const SCALARS = {
  int: integers('int'),
  long: integers('long'),
  decimal: integers('decimal'),
  double,
  text,
  bool,
  timestamp,
  bytes,
} as const
