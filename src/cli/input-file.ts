import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { avroCodec } from '../serde/avro-codec.js'
import { CONTAINER_MAGIC, openContainerFile } from '../serde/container-file.js'
import { parseExactJson } from '../serde/exact-json.js'
import { jsonValues } from '../serde/json-value.js'

/** One value of a file, or why there is none at its place. */
export type InputRecord =
  | { readonly place: string; readonly value: Readonly<Record<string, unknown>>; readonly bytes: Buffer }
  | { readonly place: string; readonly problem: string }

/** Values to load, all of one record schema. */
export interface InputFile {
  readonly schema: AvroSchema
  /** All values from the start, in pieces. */
  records(): AsyncIterable<readonly InputRecord[]>
  /** Fields of the file that the schema does not have, as seen so far. */
  readonly unknownFields: ReadonlySet<string>
}

const LINES_A_PIECE = 500

/** True for an Avro object container file. @throws MillraceError LOAD when the file cannot be read. */
export async function isContainerFile(path: string): Promise<boolean> {
  try {
    const handle = await open(path)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
      return bytesRead === 4 && buffer.equals(CONTAINER_MAGIC)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    throw new MillraceError('LOAD', `${path} cannot be read: ${messageOf(thrown)}.`, { cause: thrown })
  }
}

/** An Avro object container file with the schema that it was written with. @throws MillraceError LOAD when it is damaged. */
export async function containerInput(path: string): Promise<InputFile> {
  const { schema, close } = await openContainerFile(path)
  await close()
  return {
    schema,
    unknownFields: new Set(),
    async *records() {
      const file = await openContainerFile(path)
      try {
        let number = 0
        for await (const block of file.blocks()) {
          yield block.map(({ value, bytes }): InputRecord => {
            const place = `record ${++number}`
            if (typeof value === 'object' && value !== null) return { place, value: { ...value }, bytes }
            return { place, problem: 'it is not a record' }
          })
        }
      } finally {
        await file.close()
      }
    },
  }
}

/** A file of JSON objects, one a line; empty lines are passed over. Integers are exact over 64 bits. */
export function jsonLinesInput(path: string, schema: AvroSchema): InputFile {
  const codec = avroCodec(schema)
  const { convert, unknown } = jsonValues(schema)

  function parse(line: string, place: string): InputRecord {
    let json: unknown
    try {
      json = parseExactJson(line)
    } catch (thrown) {
      return { place, problem: `it is not JSON: ${messageOf(thrown)}` }
    }
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      return { place, problem: 'it is not a JSON object. A file of JSON lines holds one object a line' }
    }
    try {
      const value = convert(json)
      const bytes = codec.encode(value)
      return { place, value: { ...(value as object) }, bytes }
    } catch (thrown) {
      return { place, problem: messageOf(thrown) }
    }
  }

  return {
    schema,
    unknownFields: unknown,
    async *records() {
      const lines = createInterface({
        input: createReadStream(path, { encoding: 'utf8', highWaterMark: 1_048_576 }),
        crlfDelay: Number.POSITIVE_INFINITY,
      })
      let piece: InputRecord[] = []
      let number = 0
      for await (const line of lines) {
        number++
        const text = number === 1 ? line.replace(/^\ufeff/, '') : line
        if (text.trim() === '') continue
        piece.push(parse(text, `line ${number}`))
        if (piece.length === LINES_A_PIECE) {
          yield piece
          piece = []
        }
      }
      if (piece.length > 0) yield piece
    },
  }
}
