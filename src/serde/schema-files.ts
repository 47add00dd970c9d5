import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { avroType } from './avro-type.js'

/** A schema in a file. */
export interface SchemaFile {
  readonly path: string
  /** File name without `.avsc`. */
  readonly name: string
  /** True for an older version that is only there to be read: `quest-event.v1.avsc`. */
  readonly old: boolean
  readonly schema: AvroSchema
}

/**
 * Reads an `.avsc` file.
 * @throws MillraceError INVALID_SCHEMA naming the file when it is missing, no JSON, or no Avro schema.
 */
export function readSchemaFile(path: string): SchemaFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    throw new MillraceError('INVALID_SCHEMA', `${path} cannot be read: ${messageOf(thrown)}.`, { cause: thrown })
  }
  let schema: AvroSchema
  try {
    schema = JSON.parse(text)
    avroType(schema)
  } catch (thrown) {
    throw new MillraceError('INVALID_SCHEMA', `${path}: ${messageOf(thrown)}`, { cause: thrown })
  }
  const name = basename(path, '.avsc')
  return { path, name, old: /\.v\d+$/.test(name), schema }
}

/**
 * All `.avsc` files of a directory (not of directories in it), by name; none when there is no such directory.
 * @throws MillraceError INVALID_SCHEMA naming the first file that is no Avro schema.
 */
export function readSchemaDirectory(directory: string): readonly SchemaFile[] {
  if (!existsSync(directory)) return []
  const files = readdirSync(directory).filter(file => file.endsWith('.avsc'))
  return files.sort().map(file => readSchemaFile(join(directory, file)))
}
