import type { SchemaRegistry } from '../ports/schema-registry.js'
import type { AvroSerde } from '../ports/serde.js'
import { avroCodec } from './avro-codec.js'
import { wireReader, wireWriter } from './wire-format.js'

/** Avro by avsc, with writer schemas from `registry`. */
export function avroSerde(registry: SchemaRegistry): AvroSerde {
  return {
    codec: avroCodec,
    reader: schema => wireReader(schema, registry),
    writer: (subject, schema) => wireWriter(subject, schema, registry),
  }
}
