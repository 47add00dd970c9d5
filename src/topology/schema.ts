import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import { avroFields, avroRecord, isRecordSchema } from './avro-record.js'
import { suggestion } from './suggest.js'

/** An Avro record schema with the type of its records. Data, frozen. */
export interface Schema<T> {
  readonly schema: AvroSchema
  /**
   * The reader schema of some fields, in the order of the schema: bytes of all others are skipped, never decoded.
   * @throws MillraceError INVALID_SCHEMA when the schema has no such field.
   */
  pick<const F extends readonly (keyof T & string)[]>(...fields: F): Schema<{ readonly [P in F[number]]: T[P] } & {}>
  /** Types only. */
  readonly _type?: T
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) freeze(inner)
  }
  return value
}

/**
 * A schema object of an Avro record. `millrace codegen` writes it with the interface `T` from a `.avsc` file.
 * @throws MillraceError INVALID_SCHEMA when `schema` is not a record with fields.
 */
export function avro<T>(schema: AvroSchema): Schema<T> {
  if (!isRecordSchema(schema)) {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `avro(...) takes the schema of a record with fields, and got ${JSON.stringify(schema)?.slice(0, 80)}. Wrap the type in a record.`,
    )
  }
  const { name, fields: _, ...attributes } = schema
  return Object.freeze({
    schema: freeze(structuredClone(schema)),
    pick(...wanted: readonly string[]) {
      const fields = avroFields(schema)
      const known = fields.map(field => field.name)
      const unknown = wanted.filter(field => !known.includes(field))
      if (unknown.length > 0) {
        const named = unknown.map(field => `"${field}"`).join(', ')
        throw new MillraceError(
          'INVALID_SCHEMA',
          `pick(...) names ${named}, which the schema "${String(name)}" does not have. ${suggestion(unknown[0] as string, known)}`,
        )
      }
      const kept = fields
        .filter(field => wanted.includes(field.name))
        .map(field => ({ ...field.declaration, name: field.name, type: field.schema }))
      return avro({ ...attributes, ...avroRecord(String(name), kept) })
    },
  }) as Schema<T>
}
