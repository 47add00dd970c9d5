import type { AvroSchema } from '../model/avro-schema.js'

/**
 * Values of one Avro schema as bytes, without any header: state, keys, repartitioned values.
 *
 * In memory a long is a number up to 2^53 - 1 and a bigint beyond it, `bytes` and `fixed` are Buffers, an enum is its
 * symbol, `timestamp-millis` is the number of ms. A union's value is the plain value where its branches differ in their
 * JavaScript type (`["null", "long"]`), else an object with the branch's name as its only key (`{ int: 5 }` of
 * `["int", "long"]`); null is always null.
 */
export interface AvroCodec {
  readonly schema: AvroSchema
  /** 8 bytes: CRC-64-AVRO of the Parsing Canonical Form, little-endian, as in Avro's single-object encoding. */
  readonly fingerprint: Buffer
  /** @throws MillraceError UNENCODABLE naming the field when the value does not fit the schema. */
  encode(value: unknown): Buffer
  /** Reads `data[start, end)`; the defaults are its bounds. @throws MillraceError UNDECODABLE */
  decode(data: Buffer, start?: number, end?: number): unknown
  /**
   * A decoder of bytes that `writer` wrote into values of this schema, defaults filled in.
   * @throws MillraceError INVALID_SCHEMA naming both when this schema cannot read that one.
   */
  reading(writer: AvroSchema): AvroDecode
}

/** Reads `data[start, end)`; the defaults are its bounds. @throws MillraceError UNDECODABLE */
export type AvroDecode = (data: Buffer, start?: number, end?: number) => unknown

/**
 * Decodes Confluent's wire format from a packed buffer, without slicing or copying. Synchronous as long as writer schemas are known:
 * `tryDecode` answers undefined where one is not; then `await prepare(missingId(...))` and decode again.
 */
export interface WireReader {
  readonly schema: AvroSchema
  /**
   * The value of the record at `data[start, start + length)`, or undefined when its writer schema must be fetched first.
   * @throws MillraceError UNDECODABLE (too short, no wire format, bytes that are not of the writer's schema);
   * UNKNOWN_SCHEMA_ID when the registry has no such id; INVALID_SCHEMA when the writer's schema cannot be read as this one.
   */
  tryDecode(data: Buffer, start: number, length: number): unknown
  /** The schema id to `prepare` before this record can be decoded; undefined when `tryDecode` will answer or throw. */
  missingId(data: Buffer, start: number, length: number): number | undefined
  /**
   * Fetches a writer schema. Resolves whatever the registry answers: `tryDecode` then throws for records of an id that is
   * unknown or unreadable. An unknown id is asked for again after 10 seconds.
   * Rejects when the registry cannot be reached; call it again.
   */
  prepare(id: number): Promise<void>
}

/** Encodes values in Confluent's wire format under a registered schema. */
export interface WireWriter {
  readonly schema: AvroSchema
  readonly id: number
  /** @throws MillraceError UNENCODABLE naming the field when the value does not fit the schema. */
  encode(value: unknown): Buffer
}

/** Avro in and out of bytes. */
export interface AvroSerde {
  /** @throws MillraceError INVALID_SCHEMA */
  codec(schema: AvroSchema): AvroCodec
  /** @throws MillraceError INVALID_SCHEMA */
  reader(readerSchema: AvroSchema): WireReader
  /** Registers `schema` under `subject` (`<topic>-value`). @throws MillraceError INVALID_SCHEMA; what the registry throws. */
  writer(subject: string, schema: AvroSchema): Promise<WireWriter>
}
