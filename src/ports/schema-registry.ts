import type { AvroSchema } from '../model/avro-schema.js'

/** Writer schemas by id, as in Confluent's wire format: byte 0, then the id as big-endian int32, then Avro. */
export interface SchemaRegistry {
  /**
   * The id of `schema` under `subject` (`<topic>-value`, `<topic>-key`), registering it when it is new.
   * @throws MillraceError INVALID_SCHEMA when it is no Avro schema; SCHEMA_INCOMPATIBLE, naming the difference, when the
   * registry's compatibility level forbids it after what is registered; REGISTRY when the registry cannot be reached;
   * REGISTRY_REFUSED when it does not let this process in.
   */
  register(subject: string, schema: AvroSchema): Promise<number>
  /**
   * The schema with this id, or undefined where there is none.
   * @throws MillraceError INVALID_SCHEMA when what has this id is no Avro schema; REGISTRY when the registry cannot be reached;
   * REGISTRY_REFUSED when it does not let this process in.
   */
  schema(id: number): Promise<AvroSchema | undefined>
}
