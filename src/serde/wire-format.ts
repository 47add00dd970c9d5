import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import type { WireReader, WireWriter } from '../ports/serde.js'
import { readExactly, writeValue } from './avro-codec.js'
import { type AvroReadable, avroResolver, avroType, schemaName } from './avro-type.js'

/** Confluent's wire format: byte 0, the schema id as big-endian int32, Avro. */
const HEADER = 5
const MAGIC = 0

/** How long the answer that a registry does not know an id is believed, in ms. */
const UNKNOWN_FOR = 10_000

interface Writer {
  readonly resolver: AvroReadable
  readonly name: string
}

interface Refusal {
  readonly error: MillraceError
  /** Wall clock from which on the registry is asked again. */
  readonly until: number
}

/** The bytes in front of a value in wire format. */
export function wireHeader(id: number): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeInt32BE(id, 1)
  return header
}

function schemaId(data: Buffer, start: number, length: number): number {
  if (length < HEADER) {
    throw new MillraceError(
      'UNDECODABLE',
      `A record of ${length} bytes is too short for the wire format (byte 0, schema id, Avro). Is it written with a schema registry's serializer?`,
    )
  }
  if (data[start] !== MAGIC) {
    throw new MillraceError(
      'UNDECODABLE',
      `A record starts with byte ${data[start]} instead of 0, so it is not in the wire format (byte 0, schema id, Avro).`,
    )
  }
  return data.readInt32BE(start + 1)
}

/**
 * A reader of records in wire format as values of `schema`.
 * @throws MillraceError INVALID_SCHEMA when `schema` is no Avro schema.
 */
export function wireReader(schema: AvroSchema, registry: SchemaRegistry): WireReader {
  const type = avroType(schema)
  const name = schemaName(schema)
  const writers = new Map<number, Writer>()
  const refused = new Map<number, Refusal>()

  function refuse(id: number, error: MillraceError, until: number): void {
    writers.delete(id)
    refused.set(id, { error, until })
  }

  return {
    schema,

    tryDecode(data, start, length) {
      const id = schemaId(data, start, length)
      const writer = writers.get(id)
      if (writer !== undefined) return readExactly(writer.resolver, data, start + HEADER, start + length, writer.name)
      const refusal = refused.get(id)
      if (refusal !== undefined && Date.now() < refusal.until) throw refusal.error
      return undefined
    },

    missingId(data, start, length) {
      if (length < HEADER || data[start] !== MAGIC) return undefined
      const id = data.readInt32BE(start + 1)
      if (writers.has(id)) return undefined
      const refusal = refused.get(id)
      return refusal !== undefined && Date.now() < refusal.until ? undefined : id
    },

    async prepare(id) {
      if (writers.has(id)) return
      try {
        const writer = await registry.schema(id)
        if (writer === undefined) {
          const message = `The schema registry has no schema with id ${id}. Register the writer's schema, or put its .avsc file among the schemas.`
          refuse(id, new MillraceError('UNKNOWN_SCHEMA_ID', message), Date.now() + UNKNOWN_FOR)
          return
        }
        const writerName = schemaName(writer)
        const resolver = avroResolver(type, avroType(writer), `"${name}"`, `"${writerName}" (schema id ${id})`)
        refused.delete(id)
        writers.set(id, { resolver, name: writerName })
      } catch (thrown) {
        if (!(thrown instanceof MillraceError) || thrown.code !== 'INVALID_SCHEMA') throw thrown
        refuse(id, thrown, Number.POSITIVE_INFINITY)
      }
    },
  }
}

/** A writer of records in wire format. @throws MillraceError INVALID_SCHEMA; what the registry throws. */
export async function wireWriter(subject: string, schema: AvroSchema, registry: SchemaRegistry): Promise<WireWriter> {
  const type = avroType(schema)
  const name = schemaName(schema)
  const id = await registry.register(subject, schema)
  const header = wireHeader(id)
  return { schema, id, encode: value => writeValue(type, value, name, header) }
}
