import { murmur2 } from '../model/murmur2.js'
import type { AvroSerde } from '../ports/serde.js'
import { recordSchema } from '../runtime/field-values.js'
import type { FieldShape } from '../topology/shape.js'
import type { Scalar } from './sample-column.js'

/** The bits of a hash that a partition follows from: `hash % partitions`, as Kafka's default partitioner takes them. */
export function positiveHash(key: Uint8Array): number {
  return murmur2(key) & 0x7fffffff
}

/**
 * The hash of the key that `repartition({ by })` makes of these fields: murmur2 of an Avro record of them, which is how a
 * repartition topic is keyed.
 */
export function repartitionHash(
  fields: readonly FieldShape[],
  serde: AvroSerde,
): (values: readonly (Scalar | null)[]) => number {
  const codec = serde.codec(recordSchema('Key', fields))
  return values => {
    const key: Record<string, Scalar | null> = {}
    for (const [index, field] of fields.entries()) key[field.name] = values[index] ?? null
    return positiveHash(codec.encode(key))
  }
}
