import type { AvroSchema } from '../model/avro-schema.js'
import { fullName, NAMED, PRIMITIVES } from './named-schemas.js'

type AvroObject = { readonly [attribute: string]: unknown }

/** Logical types and what belongs to them, in this order behind the attributes of the canonical form. */
const LOGICAL = ['logicalType', 'precision', 'scale'] as const

function canonical(schema: AvroSchema, namespace: string, logical: boolean): unknown {
  if (typeof schema === 'string') return PRIMITIVES.has(schema) ? schema : fullName(schema, namespace)
  if (Array.isArray(schema)) return schema.map(branch => canonical(branch, namespace, logical))
  const { type, name, ...attributes } = schema as AvroObject
  const inside =
    typeof name === 'string' && name.includes('.')
      ? name.slice(0, name.lastIndexOf('.'))
      : typeof attributes.namespace === 'string'
        ? attributes.namespace
        : namespace
  const kept = logical ? LOGICAL.filter(attribute => attributes[attribute] !== undefined) : []
  if (!NAMED.has(String(type)) && type !== 'array' && type !== 'map' && kept.length === 0) {
    return canonical(type as AvroSchema, namespace, logical)
  }
  const form: Record<string, unknown> = {}
  if (NAMED.has(String(type))) form.name = fullName(String(name), inside)
  form.type = typeof type === 'string' ? type : canonical(type as AvroSchema, inside, logical)
  if (Array.isArray(attributes.fields)) {
    form.fields = attributes.fields.map((field: AvroObject) => ({
      name: field.name,
      type: canonical(field.type as AvroSchema, inside, logical),
    }))
  }
  if (Array.isArray(attributes.symbols)) form.symbols = attributes.symbols
  if (type === 'array') form.items = canonical(attributes.items as AvroSchema, namespace, logical)
  if (type === 'map') form.values = canonical(attributes.values as AvroSchema, namespace, logical)
  if (type === 'fixed') form.size = Number(attributes.size)
  for (const attribute of kept) form[attribute] = attributes[attribute]
  return form
}

/**
 * A valid schema in Parsing Canonical Form (Avro specification, "Transforming into Parsing Canonical Form"): the same text for
 * all schemas that read and write the same bytes. With `logicalTypes: 'keep'` schemas of different logical types differ too.
 */
export function canonicalForm(schema: AvroSchema, logicalTypes: 'strip' | 'keep' = 'strip'): string {
  return JSON.stringify(canonical(schema, '', logicalTypes === 'keep'))
}

const EMPTY = 0xc15d213aa4d7a795n

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let fingerprint = BigInt(index)
  for (let bit = 0; bit < 8; bit++) fingerprint = (fingerprint >> 1n) ^ (fingerprint & 1n ? EMPTY : 0n)
  return fingerprint
})

/**
 * CRC-64-AVRO (Rabin) of the Parsing Canonical Form: 8 bytes, little-endian as in single-object encoding.
 * Source: Avro specification, "Schema Fingerprints".
 */
export function fingerprint(schema: AvroSchema): Buffer {
  let crc = EMPTY
  for (const byte of Buffer.from(canonicalForm(schema), 'utf8')) {
    crc = (crc >> 8n) ^ (TABLE[Number((crc ^ BigInt(byte)) & 0xffn)] as bigint)
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(crc)
  return bytes
}
