import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import type { AvroCodec } from '../ports/serde.js'
import { type AvroReadable, type AvroType, avroResolver, avroType, schemaName } from './avro-type.js'
import { fingerprint } from './canonical-form.js'
import { ReadTap } from './read-tap.js'
import { WriteTap } from './write-tap.js'

const INPUT = new ReadTap()
const OUTPUT = new WriteTap()

function undecodable(bytes: number, name: string, thrown: unknown): MillraceError {
  const reason = thrown instanceof RangeError ? 'it is nested too deeply' : messageOf(thrown)
  return new MillraceError('UNDECODABLE', `${bytes} bytes are not a value of the Avro schema "${name}": ${reason}.`, {
    cause: thrown,
  })
}

/**
 * Reads exactly `data[start, end)`.
 * @throws MillraceError UNDECODABLE when these bytes are not one value of `readable`. `name` is its schema's, for the message.
 */
export function readExactly(readable: AvroReadable, data: Buffer, start: number, end: number, name: string): unknown {
  INPUT.open(data, start, end)
  try {
    const value = readable._read(INPUT)
    if (INPUT.pos !== end) throw new Error(`${end - INPUT.pos} bytes are left over`)
    return value
  } catch (thrown) {
    throw undecodable(end - start, name, thrown)
  } finally {
    INPUT.close()
  }
}

/**
 * Reads one value from `data[start, ...)` and says where it ends.
 * @throws MillraceError UNDECODABLE
 */
export function readNext(
  readable: AvroReadable,
  data: Buffer,
  start: number,
  name: string,
): { readonly value: unknown; readonly end: number } {
  INPUT.open(data, start, data.length)
  try {
    return { value: readable._read(INPUT), end: INPUT.pos }
  } catch (thrown) {
    throw undecodable(data.length - start, name, thrown)
  } finally {
    INPUT.close()
  }
}

function describeValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : Buffer.isBuffer(value) ? 'a Buffer' : 'an object'
}

function unencodable(type: AvroType, value: unknown, name: string, thrown: unknown): MillraceError {
  const problems: string[] = []
  try {
    type.isValid(value, {
      errorHook: (path, part, expected) => {
        const at = path.length > 0 ? `field "${path.join('.')}"` : 'the value'
        problems.push(`${at} is ${describeValue(part)}, not ${expected.name ?? expected.typeName.replace(/:.*/, '')}`)
      },
    })
  } catch {
    // A value that cannot even be checked (such as null for a record) is described by the first error.
  }
  return new MillraceError(
    'UNENCODABLE',
    `A value does not fit the Avro schema "${name}": ${problems.length > 0 ? problems.join('; ') : messageOf(thrown)}.`,
    { cause: thrown },
  )
}

/**
 * Encodes a value behind `header`, in a Buffer of its own.
 * @throws MillraceError UNENCODABLE
 */
export function writeValue(type: AvroType, value: unknown, name: string, header?: Buffer): Buffer {
  try {
    do {
      OUTPUT.pos = 0
      if (header) OUTPUT.writeFixed(header)
      type._write(OUTPUT, value)
    } while (!OUTPUT.fits())
    return OUTPUT.bytes()
  } catch (thrown) {
    throw unencodable(type, value, name, thrown)
  }
}

/**
 * The codec of a schema.
 * @throws MillraceError INVALID_SCHEMA when it is no Avro schema.
 */
export function avroCodec(schema: AvroSchema): AvroCodec {
  const type = avroType(schema)
  const name = schemaName(schema)
  return {
    schema,
    fingerprint: fingerprint(schema),
    encode: value => writeValue(type, value, name),
    decode: (data, start = 0, end = data.length) => readExactly(type, data, start, end, name),
    reading(writer) {
      const writerName = schemaName(writer)
      const resolver = avroResolver(type, avroType(writer), `"${name}"`, `"${writerName}"`)
      return (data, start = 0, end = data.length) => readExactly(resolver, data, start, end, writerName)
    },
  }
}
