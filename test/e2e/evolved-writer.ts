import type { GeneratedQuestEvent } from '../../src/cli/quest-events.js'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { partitionFor } from '../../src/model/murmur2.js'
import type { SchemaRegistry } from '../../src/ports/schema-registry.js'
import { readSchemaFile } from '../../src/serde/schema-files.js'
import { wireWriter } from '../../src/serde/wire-format.js'
import { SCHEMAS } from './quest-topic.js'
import type { Rig } from './rig.js'

type Field = { readonly name: string; readonly [attribute: string]: unknown }

/** A producer of quest events whose schema is another version of the one that topologies read. */
export interface EvolvedWriter {
  readonly schema: AvroSchema
  readonly value: (event: GeneratedQuestEvent) => object
}

function questSchema(change: (fields: readonly Field[]) => readonly Field[]): AvroSchema {
  const { schema } = readSchemaFile(`${SCHEMAS}/quest-event.avsc`)
  const { fields, ...attributes } = schema as { readonly fields: readonly Field[] }
  return { ...attributes, fields: change(fields) }
}

/** A narrower type that is read as the wider one, and a field that the reader has never heard of. */
export const NEXT_WRITER: EvolvedWriter = {
  schema: questSchema(fields => [
    { name: 'platform', type: { type: 'enum', name: 'Platform', symbols: ['PHONE', 'WEB'] }, default: 'WEB' },
    ...fields
      .filter(({ name }) => name !== 'region')
      .map(field => (field.name === 'durationMs' ? { ...field, type: 'int' } : field))
      .reverse(),
  ]),
  value: ({ region: _, ...event }) => ({ ...event, platform: 'PHONE' }),
}

/** A type that nobody reads as the one before. */
export const BROKEN_WRITER: EvolvedWriter = {
  schema: questSchema(fields =>
    fields.map(field => (field.name === 'rewardGold' ? { ...field, type: 'string' } : field)),
  ),
  value: event => ({ ...event, rewardGold: `${event.rewardGold} gold` }),
}

/** Registers the writer's schema and writes events into the rig's source topic, which must exist. */
export async function writeAs(
  { schema, value }: EvolvedWriter,
  events: Iterable<GeneratedQuestEvent>,
  rig: Rig,
  registry: SchemaRegistry,
): Promise<{ readonly id: number; readonly written: number }> {
  const writer = await wireWriter(`${rig.source}-value`, schema, registry)
  const partitions = (await rig.log.describeTopics([rig.source])).get(rig.source)?.partitions as number
  const producer = await rig.log.producer()
  let written = 0
  try {
    for (const event of events) {
      const key = Buffer.from(event.userId)
      producer.send(rig.source, partitionFor(key, partitions), key, writer.encode(value(event)), event.occurredAt)
      if (++written % 5_000 === 0) await producer.flush()
    }
    await producer.flush()
  } finally {
    await producer.close()
  }
  return { id: writer.id, written }
}
