import type { AvroSchema } from '../model/avro-schema.js'
import { asNullable, avroRecord, splitNullable } from '../topology/avro-record.js'
import type { FieldShape } from '../topology/shape.js'

/** The Avro record schema of fields. Nullable ones default to null, so that rows from before such a field stay readable. */
export function recordSchema(name: string, fields: readonly FieldShape[]): AvroSchema {
  return avroRecord(
    name,
    fields.map(({ name, nullable, schema }) =>
      nullable ? { name, type: asNullable(schema), default: null } : { name, type: schema },
    ),
  )
}

type Convert = (value: unknown) => unknown

/** Between values in memory and values as Avro takes them: Dates are ms, decimals are bytes or text. */
export interface FieldValues {
  toAvro(record: Readonly<Record<string, unknown>>): Record<string, unknown>
  fromAvro(record: Readonly<Record<string, unknown>>): Record<string, unknown>
}

/** The conversions of a record's fields. Where no field needs one, records are passed on as they are. */
export function fieldValues(fields: readonly FieldShape[]): FieldValues {
  if (fields.length === 0) return { toAvro: record => ({ ...record }), fromAvro: record => ({ ...record }) }
  const conversions = fields.map(field => ({ name: field.name, ...conversionOf(field) }))
  const plain = conversions.every(c => c.to === undefined)
  const via = (pick: 'to' | 'from') => (record: Readonly<Record<string, unknown>>) => {
    const out: Record<string, unknown> = {}
    for (const conversion of conversions) {
      const value = record[conversion.name]
      const convert = conversion[pick]
      out[conversion.name] = value === null || value === undefined ? null : convert ? convert(value) : value
    }
    return out
  }
  const from = via('from')
  return { toAvro: via('to'), fromAvro: plain ? record => record as Record<string, unknown> : from }
}

function conversionOf(field: FieldShape): { to?: Convert; from?: Convert } {
  if (field.type === 'timestamp' && field.date) {
    return {
      to: value => (value instanceof Date ? value.getTime() : value),
      from: value => new Date(Number(value)),
    }
  }
  if (field.type !== 'decimal') return {}
  const { schema } = splitNullable(field.schema)
  if (schema === 'string') return { to: String, from: value => narrow(BigInt(value as string)) }
  return {
    to: value => twosComplement(BigInt(value as number)),
    from: value => narrow(ofTwosComplement(value as Buffer)),
  }
}

/** A number where it is exact, else the bigint. */
function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Shortest two's complement, big-endian, as Avro's decimal logical type has it. */
function twosComplement(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const byte = Number(rest & 0xffn)
    bytes.unshift(byte)
    rest >>= 8n
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Buffer.from(bytes)
  }
}

function ofTwosComplement(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}
