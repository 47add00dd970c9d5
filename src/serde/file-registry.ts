import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import { avroType, schemaName } from './avro-type.js'
import { canonicalForm } from './canonical-form.js'
import { readSchemaDirectory } from './schema-files.js'

export interface FileRegistryOptions {
  /** Schemas that are known from the start, or a directory of `.avsc` files, older versions among them. */
  readonly schemas: string | readonly AvroSchema[]
  /** A JSON file that keeps what is registered at run time, so that a restart knows it; default: kept in memory only. */
  readonly file?: string
}

/** A registry without a server: see {@link fileRegistry}. */
export interface FileRegistry extends SchemaRegistry {
  /** Id of the schema that was registered last under `subject`. */
  latest(subject: string): number | undefined
}

interface Registered {
  readonly subjects: Readonly<Record<string, number>>
  readonly schemas: Readonly<Record<string, AvroSchema>>
}

const MAX_ID = 2 ** 31 - 1

/** The id of a schema that pins none: the first 31 bits of SHA-256 of its canonical form with logical types, never 0. */
export function derivedSchemaId(schema: AvroSchema): number {
  const hash = createHash('sha256').update(canonicalForm(schema, 'keep')).digest()
  return hash.readUInt32BE(0) >>> 1 || 1
}

function pinnedId(schema: AvroSchema): number | undefined {
  if (typeof schema !== 'object' || !('schemaId' in schema)) return undefined
  const id = schema.schemaId
  if (typeof id === 'number' && Number.isInteger(id) && id > 0 && id <= MAX_ID) return id
  throw new MillraceError(
    'INVALID_SCHEMA',
    `"${schemaName(schema)}" has "schemaId": ${JSON.stringify(id)}. It must be a whole number from 1 to ${MAX_ID}.`,
  )
}

function readRegistered(file: string | undefined): Registered {
  if (file === undefined || !existsSync(file)) return { subjects: {}, schemas: {} }
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `The file of registered schemas ${file} cannot be read: ${messageOf(thrown)}. Restore it, or delete it if its topics are gone.`,
      { cause: thrown },
    )
  }
}

/**
 * A schema registry of files and memory. The id of a schema follows from the schema, so that machines which share no registry
 * compute the same one; a top-level attribute `"schemaId": 7` pins it, for topics that others write.
 * @throws MillraceError INVALID_SCHEMA when a file is no Avro schema, or two different schemas have the same id.
 */
export function fileRegistry(options: FileRegistryOptions): FileRegistry {
  const byId = new Map<number, AvroSchema>()
  const idByForm = new Map<string, number>()
  const latest = new Map<string, number>()

  function add(schema: AvroSchema, given?: number): number {
    avroType(schema)
    const form = canonicalForm(schema, 'keep')
    const pinned = given ?? pinnedId(schema)
    const id = pinned ?? idByForm.get(form) ?? derivedSchemaId(schema)
    const other = byId.get(id)
    if (other !== undefined && canonicalForm(other, 'keep') !== form) {
      throw new MillraceError(
        'INVALID_SCHEMA',
        `"${schemaName(schema)}" and "${schemaName(other)}" are different schemas with the id ${id}. Give one of them another "schemaId".`,
      )
    }
    if (other === undefined) byId.set(id, schema)
    if (pinned !== undefined || !idByForm.has(form)) idByForm.set(form, id)
    return id
  }

  function save(file: string, subject: string, id: number, schema: AvroSchema): void {
    const { subjects, schemas } = readRegistered(file)
    const text = JSON.stringify(
      { subjects: { ...subjects, [subject]: id }, schemas: { ...schemas, [id]: schema } },
      undefined,
      2,
    )
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.${process.pid}.new`, `${text}\n`, { flush: true })
    renameSync(`${file}.${process.pid}.new`, file)
  }

  const known =
    typeof options.schemas === 'string'
      ? readSchemaDirectory(options.schemas).map(file => file.schema)
      : options.schemas
  for (const schema of known) add(schema)
  const registered = readRegistered(options.file)
  for (const [id, schema] of Object.entries(registered.schemas)) add(schema, Number(id))
  for (const [subject, id] of Object.entries(registered.subjects)) latest.set(subject, id)

  return {
    async register(subject, schema) {
      const id = add(schema)
      if (latest.get(subject) !== id) {
        latest.set(subject, id)
        if (options.file !== undefined) save(options.file, subject, id, schema)
      }
      return id
    },
    async schema(id) {
      return byId.get(id)
    },
    latest: subject => latest.get(subject),
  }
}
