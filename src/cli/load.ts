import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { partitionFor } from '../model/murmur2.js'
import type { Log } from '../ports/log.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import { readSchemaDirectory, readSchemaFile } from '../serde/schema-files.js'
import { wireHeader } from '../serde/wire-format.js'
import { containerInput, type InputFile, type InputRecord, isContainerFile, jsonLinesInput } from './input-file.js'
import type { Io } from './io.js'
import { targetTopic } from './target-topic.js'

export interface LoadOptions {
  readonly topic: string
  /** An Avro object container file, or JSON lines. */
  readonly file: string
  /** Directory of `.avsc` files; the one whose attribute `topic` is the topic gives schema, key and timestamp. */
  readonly schemas: string
  /** An `.avsc` file to use instead. */
  readonly schema?: string
  /** Field for the record key (UTF-8 text); default: the attribute `key` of the schema, else records have no key. */
  readonly key?: string
  /** Partitions of a topic that does not exist yet; default 8. */
  readonly partitions?: number
  /** `fail` (default) loads nothing when a line is wrong; `skip` loads the others. */
  readonly onError?: 'fail' | 'skip'
  /** Timestamp of records whose schema names no timestamp field, in ms since 1970; default: the wall clock. */
  readonly now?: number
}

export interface LoadResult {
  readonly loaded: number
  readonly skipped: number
  /** The first problems among the skipped lines, each with file, line and reason. */
  readonly problems: readonly string[]
  readonly partitions: number
  readonly schemaId: number
  readonly key: string | undefined
  readonly timestamp: string | undefined
  /** Fields of JSON lines that the schema does not have; they were left out. */
  readonly unknownFields: readonly string[]
}

/** Where a value goes. */
interface Addressed {
  readonly key: Buffer | null
  readonly timestamp: number
  readonly bytes: Buffer
}

interface Attributes {
  readonly key: string | undefined
  readonly timestamp: string | undefined
}

const PROBLEMS_NAMED = 10
const RECORDS_A_FLUSH = 10_000
/** Largest timestamp of a Date. */
const MAX_TIMESTAMP = 8.64e15

type Fields = readonly { readonly name: string; readonly type: unknown }[]

function attribute(schema: AvroSchema | undefined, name: string): string | undefined {
  const value = typeof schema === 'object' && schema !== null ? (schema as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : undefined
}

function fieldsOf(schema: AvroSchema): Fields {
  return ((schema as Record<string, unknown>).fields ?? []) as Fields
}

/** Microseconds a unit of the field's logical type. */
function unitsAMs(fields: Fields, name: string | undefined): number {
  const type = fields.find(field => field.name === name)?.type
  const types = Array.isArray(type) ? type : [type]
  return types.some(one => attribute(one, 'logicalType') === 'timestamp-micros') ? 1_000 : 1
}

function declaredSchema(options: LoadOptions): AvroSchema | undefined {
  if (options.schema !== undefined) return readSchemaFile(options.schema).schema
  const files = readSchemaDirectory(options.schemas).filter(file => !file.old)
  return files.find(file => attribute(file.schema, 'topic') === options.topic)?.schema
}

async function openInput(options: LoadOptions, declared: AvroSchema | undefined): Promise<InputFile> {
  if (await isContainerFile(options.file)) return containerInput(options.file)
  if (declared === undefined) {
    throw new MillraceError(
      'LOAD',
      `${options.file} holds JSON lines, and no schema in ${options.schemas} has "topic": "${options.topic}". ` +
        'Add that attribute to its .avsc file, or name the file with --schema.',
    )
  }
  return jsonLinesInput(options.file, declared)
}

function attributesOf(options: LoadOptions, schema: AvroSchema, declared: AvroSchema | undefined): Attributes {
  const key = options.key ?? attribute(declared, 'key') ?? attribute(schema, 'key')
  const timestamp = attribute(declared, 'timestamp') ?? attribute(schema, 'timestamp')
  const names = fieldsOf(schema).map(field => field.name)
  for (const [what, name] of [['key', key] as const, ['timestamp', timestamp] as const]) {
    if (name !== undefined && !names.includes(name)) {
      throw new MillraceError(
        'LOAD',
        `The ${what} of "${options.topic}" is the field "${name}", which the values of ${options.file} do not have. They have: ${names.join(', ')}.`,
      )
    }
  }
  return { key, timestamp }
}

function keyBytes(value: unknown): Buffer | null {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'object') throw new Error('the key is neither text nor a number')
  return Buffer.from(String(value), 'utf8')
}

/** Reads the whole file, giving every value its key and time. */
async function* addressed(
  input: InputFile,
  { key, timestamp }: Attributes,
  now: number,
): AsyncIterable<readonly (Addressed | { readonly place: string; readonly problem: string })[]> {
  const units = unitsAMs(fieldsOf(input.schema), timestamp)

  function address(record: InputRecord) {
    if ('problem' in record) return record
    try {
      const time = timestamp === undefined ? null : record.value[timestamp]
      const ms = time === null || time === undefined ? now : Math.floor(Number(time) / units)
      if (!(ms >= 0 && ms <= MAX_TIMESTAMP)) throw new Error(`the timestamp ${String(time)} is not a time since 1970`)
      return { key: key === undefined ? null : keyBytes(record.value[key]), timestamp: ms, bytes: record.bytes }
    } catch (thrown) {
      return { place: record.place, problem: messageOf(thrown) }
    }
  }

  for await (const piece of input.records()) yield piece.map(address)
}

/**
 * Puts a file into a topic, in wire format, keyed and partitioned as Kafka's Java client would (records without a key in
 * turn). The whole file is checked before the first record is sent.
 *
 * @throws MillraceError LOAD: a wrong line (nothing was loaded), no schema, a damaged file; or the log failed midway, saying
 * how many records were loaded before.
 */
export async function loadFile(
  options: LoadOptions,
  ports: { readonly log: Log; readonly registry: SchemaRegistry },
): Promise<LoadResult> {
  const declared = declaredSchema(options)
  const input = await openInput(options, declared)
  const attributes = attributesOf(options, input.schema, declared)
  const now = options.now ?? Date.now()

  const problems: string[] = []
  let skipped = 0
  for await (const piece of addressed(input, attributes, now)) {
    for (const one of piece) {
      if (!('problem' in one)) continue
      skipped++
      if (problems.length < PROBLEMS_NAMED) problems.push(`${options.file}, ${one.place}: ${one.problem}`)
    }
  }
  if (skipped > 0 && options.onError !== 'skip') {
    const more = skipped > problems.length ? `\n… and ${skipped - problems.length} more` : ''
    throw new MillraceError(
      'LOAD',
      `Nothing was loaded, because ${skipped} values of ${options.file} are wrong. Correct them, or pass them over with --on-error skip.\n` +
        `${problems.join('\n')}${more}`,
    )
  }

  const { topic } = options
  const partitions = await targetTopic(ports.log, topic, options.partitions)
  const schemaId = await ports.registry.register(`${topic}-value`, input.schema)
  const header = wireHeader(schemaId)
  const producer = await ports.log.producer()
  let loaded = 0
  let acknowledged = 0
  try {
    for await (const piece of addressed(input, attributes, now)) {
      for (const one of piece) {
        if ('problem' in one) continue
        const partition = one.key === null ? loaded % partitions : partitionFor(one.key, partitions)
        producer.send(topic, partition, one.key, Buffer.concat([header, one.bytes]), one.timestamp)
        if (++loaded % RECORDS_A_FLUSH === 0) {
          await producer.flush()
          acknowledged = loaded
        }
      }
    }
    await producer.flush()
  } catch (thrown) {
    throw new MillraceError(
      'LOAD',
      `Loading ${options.file} into "${topic}" on ${ports.log.name} stopped after ${acknowledged} to ${loaded} records: ${messageOf(thrown)}`,
      { cause: thrown },
    )
  } finally {
    await producer.close()
  }
  return { loaded, skipped, problems, partitions, schemaId, ...attributes, unknownFields: [...input.unknownFields] }
}

/** `millrace load TOPIC FILE`. @returns the exit code: 0, or 1 when nothing or not everything could be loaded. */
export async function loadCommand(
  options: LoadOptions,
  ports: { readonly log: Log; readonly registry: SchemaRegistry },
  io: Io,
): Promise<number> {
  try {
    const result = await loadFile(options, ports)
    for (const problem of result.problems) io.err(problem)
    if (result.unknownFields.length > 0) {
      io.err(`Left out, because the schema does not have them: ${result.unknownFields.join(', ')}.`)
    }
    const by = result.key === undefined ? 'without a key' : `by ${result.key}`
    const skipped = result.skipped === 0 ? '' : ` ${result.skipped} wrong ones were passed over.`
    io.out(
      `${result.loaded} records of ${options.file} loaded into ${options.topic} (${result.partitions} partitions, ${by}, schema id ${result.schemaId}).${skipped}`,
    )
    return 0
  } catch (thrown) {
    io.err(messageOf(thrown))
    return 1
  }
}
