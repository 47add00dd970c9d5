import { fieldsNamed, Sample, scalarFields } from '../advise/sample.js'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import { partitionFor } from '../model/murmur2.js'
import type { RecordBatch } from '../model/record-batch.js'
import type { Log } from '../ports/log.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import type { WireReader } from '../ports/serde.js'
import { avroSerde } from '../serde/avro-serde.js'
import { openContainerFile } from '../serde/container-file.js'
import { readSchemaDirectory, readSchemaFile } from '../serde/schema-files.js'
import { avroFields, columnTypeOf, isRecordSchema } from '../topology/avro-record.js'
import { avro } from '../topology/schema.js'
import { suggestion } from '../topology/suggest.js'
import { containerInput, isContainerFile, jsonLinesInput } from './input-file.js'

/** What is sampled, and how. */
export interface SampleOptions {
  readonly topic?: string
  readonly file?: string
  readonly schema?: string
  readonly schemas: string
  /** Events at most. */
  readonly sample: number
  readonly keys?: readonly string[]
  /** Logged SQL may ask for any field, so all are decoded. */
  readonly sql?: string
  readonly timestamp?: string
}

/** A sample, and the schema of its events. */
export interface TakenSample {
  readonly sample: Sample
  readonly schema: AvroSchema
  /** For reports: `the topic quest-events on Kafka at …`, `the file events.avro`. */
  readonly source: string
  /** Event times are those of this field; undefined where they are the records' own, or where there are none. */
  readonly timestamp: string | undefined
}

export interface SamplePorts {
  readonly log: Log
  readonly registry: SchemaRegistry
}

/** Partitions that the events of a file are taken to come from. */
const FILE_LANES = 8
/** Magic byte and schema id of Confluent's wire format. */
const WIRE_HEADER = 5

function attribute(schema: AvroSchema | undefined, name: string): string | undefined {
  const value = isRecordSchema(schema) ? schema[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** The schema of `--schema`, else of the topic, else of the record's name, among the files. */
function declaredSchema(
  { schema, schemas, topic }: Pick<SampleOptions, 'schema' | 'schemas' | 'topic'>,
  written?: AvroSchema,
): AvroSchema | undefined {
  if (schema !== undefined) return readSchemaFile(schema).schema
  const files = readSchemaDirectory(schemas).filter(file => !file.old)
  const name = attribute(written, 'name')?.split('.').at(-1)
  const of = (wanted: string, value: string | undefined) =>
    value === undefined ? undefined : files.find(file => attribute(file.schema, wanted)?.split('.').at(-1) === value)
  return (topic === undefined ? of('name', name) : files.find(file => attribute(file.schema, 'topic') === topic))
    ?.schema
}

/** What of an event is decoded. */
interface Projection {
  readonly sample: Sample
  readonly reader: AvroSchema
  readonly key: string | undefined
  readonly timestamp: string | undefined
}

function timestampOf(options: SampleOptions, schemas: readonly (AvroSchema | undefined)[], written: AvroSchema) {
  const fields = avroFields(written)
  const known = fields.map(field => field.name)
  if (options.timestamp !== undefined) {
    if (known.includes(options.timestamp)) return options.timestamp
    throw new MillraceError(
      'INVALID_OPTION',
      `--timestamp ${options.timestamp}: the events have no such field. ${suggestion(options.timestamp, known)}`,
    )
  }
  const named = schemas.map(schema => attribute(schema, 'timestamp')).find(name => name && known.includes(name))
  return named ?? fields.find(field => columnTypeOf(field.schema) === 'timestamp')?.name
}

function projectionOf(options: SampleOptions, declared: AvroSchema | undefined, written: AvroSchema): Projection {
  const serde = avroSerde({ register: async () => 0, schema: async () => undefined })
  const named = options.keys && fieldsNamed(options.keys, written, '--keys')
  const timestamp = timestampOf(options, [declared, written], written)
  // Nobody partitions by the event time itself, unless they say so.
  const all = () =>
    scalarFields(written).filter(field => field.name !== timestamp || options.keys?.includes(field.name))
  const fields = options.sql === undefined && named ? named : all()
  const known = avroFields(written).map(field => field.name)
  const key = [attribute(declared, 'key'), attribute(written, 'key')].find(name => name && known.includes(name))
  const wanted = new Set([...fields.map(field => field.name), ...(timestamp ? [timestamp] : []), ...(key ? [key] : [])])
  if (fields.length === 0) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The events have no field that could be a key: none of ${known.join(', ') || 'its fields'} is a single value.`,
    )
  }
  const reader = avro<Record<string, unknown>>(written).pick(...wanted).schema
  return { sample: new Sample(fields, serde), reader, key, timestamp }
}

/** Takes a sample of a file: its first events. @throws MillraceError LOAD, INVALID_OPTION, INVALID_SCHEMA. */
export async function sampleFile(options: SampleOptions & { readonly file: string }): Promise<TakenSample> {
  const { file } = options
  const container = await isContainerFile(file)
  const schema = container ? (await containerInput(file)).schema : declaredSchema(options)
  if (schema === undefined) {
    throw new MillraceError(
      'LOAD',
      `${file} holds JSON lines, and nothing says what they hold. Name their schema with --schema, or their --topic.`,
    )
  }
  const projection = projectionOf(options, declaredSchema(options, schema), schema)
  const { sample, timestamp } = projection
  const taken = { sample, schema, source: `the file ${file}`, timestamp }
  if (container) {
    const open = await openContainerFile(file, () => projection.reader)
    try {
      for await (const block of open.blocks()) {
        for (const { value } of block) {
          addOfFile(projection, value as Record<string, unknown>)
          if (sample.events === options.sample) return taken
        }
      }
    } finally {
      await open.close()
    }
    return taken
  }
  for await (const piece of jsonLinesInput(file, schema).records()) {
    for (const record of piece) {
      if ('problem' in record) sample.undecodable++
      else addOfFile(projection, record.value)
      if (sample.events === options.sample) return taken
    }
  }
  return taken
}

/** As `millrace load` would put it into a topic of 8 partitions. */
function addOfFile({ sample, key, timestamp }: Projection, value: Readonly<Record<string, unknown>>): void {
  const keyValue = key === undefined ? undefined : value[key]
  const bytes = keyValue === null || keyValue === undefined ? null : Buffer.from(String(keyValue), 'utf8')
  const lane = bytes === null ? sample.events % FILE_LANES : partitionFor(bytes, FILE_LANES)
  sample.add(
    value,
    bytes?.toString('latin1') ?? null,
    lane,
    timestamp === undefined ? 0 : Number(value[timestamp] ?? 0),
  )
}

/** The partitions of a topic with the offsets to read: the newest records, from each partition in proportion to what it holds. */
async function ranges(log: Log, topic: string, wanted: number) {
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions
  if (partitions === undefined) {
    throw new MillraceError('MISSING_TOPIC', `There is no topic "${topic}" on ${log.name}. Check --topic and --kafka.`)
  }
  const all = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => ({
      partition,
      ...(await log.watermarks({ topic, partition })),
    })),
  )
  const total = all.reduce((sum, { low, high }) => sum + high - low, 0)
  if (total === 0) {
    throw new MillraceError('INVALID_OPTION', `The topic "${topic}" on ${log.name} holds no events.`)
  }
  const share = Math.min(1, wanted / total)
  return all.map(({ partition, low, high }) => ({
    partition,
    from: Math.max(low, high - Math.ceil((high - low) * share)),
    to: high,
  }))
}

/** The schema that the first record of a batch in wire format was written with. */
async function writtenSchema(batch: RecordBatch, registry: SchemaRegistry): Promise<AvroSchema | undefined> {
  for (let i = 0; i < batch.count; i++) {
    const start = batch.valueStart[i] as number
    if ((batch.valueLength[i] as number) < WIRE_HEADER || batch.data[start] !== 0) continue
    const schema = await registry.schema(batch.data.readInt32BE(start + 1))
    if (schema !== undefined) return schema
  }
  return undefined
}

/** Takes a sample of a topic. @throws MillraceError MISSING_TOPIC, INVALID_OPTION, REGISTRY; LogError. */
export async function sampleTopic(
  options: SampleOptions & { readonly topic: string },
  { log, registry }: SamplePorts,
): Promise<TakenSample> {
  const { topic } = options
  const declared = declaredSchema(options)
  let projection: Projection | undefined
  let reader: WireReader | undefined
  let schema = declared
  let unread = 0
  for (const { partition, from, to } of await ranges(log, topic, options.sample)) {
    for await (const batch of log.read({ topic, partition }, from, to)) {
      schema ??= await writtenSchema(batch, registry)
      if (schema === undefined) {
        unread += batch.count
        continue
      }
      projection ??= projectionOf(options, declared, schema)
      reader ??= avroSerde(registry).reader(projection.reader)
      await addBatch(projection, reader, batch)
    }
  }
  if (projection === undefined || schema === undefined) {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `No schema is known for the ${unread} records of "${topic}": none in ${options.schemas} has "topic": "${topic}", and the registry has none for them. Name it with --schema, or the registry with --registry.`,
    )
  }
  projection.sample.undecodable += unread
  return {
    sample: projection.sample,
    schema,
    source: `the topic ${topic} on ${log.name}`,
    timestamp: projection.timestamp,
  }
}

async function addBatch({ sample, timestamp }: Projection, reader: WireReader, batch: RecordBatch): Promise<void> {
  const { data, valueStart, valueLength, keyStart, keyLength } = batch
  for (let i = 0; i < batch.count; i++) {
    const [start, length] = [valueStart[i] as number, valueLength[i] as number]
    if (length < 0) continue
    const missing = reader.missingId(data, start, length)
    if (missing !== undefined) await reader.prepare(missing)
    let value: Readonly<Record<string, unknown>>
    try {
      value = reader.tryDecode(data, start, length) as Readonly<Record<string, unknown>>
    } catch (thrown) {
      if (!(thrown instanceof MillraceError)) throw thrown
      sample.undecodable++
      continue
    }
    const [at, size] = [keyStart[i] as number, keyLength[i] as number]
    const key = size < 0 ? null : data.toString('latin1', at, at + size)
    const time = timestamp === undefined ? (batch.timestamps[i] as number) : Number(value[timestamp] ?? 0)
    sample.add(value, key, batch.partition, time)
  }
}
