import { fileURLToPath } from 'node:url'
import type { GeneratedQuestEvent } from '../../src/cli/quest-events.js'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import type { Log } from '../../src/ports/log.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { readSchemaFile } from '../../src/serde/schema-files.js'
import { wireWriter } from '../../src/serde/wire-format.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'

export const questEventSchema: AvroSchema = readSchemaFile(
  fileURLToPath(new URL('../../schemas/quest-event.avsc', import.meta.url)),
).schema

export const TOPIC = 'quest-events'

/** An event at noon, but for what is given. */
export function questEvent(given: Partial<GeneratedQuestEvent> = {}): GeneratedQuestEvent {
  return {
    eventId: 'e',
    userId: 'u1',
    questId: 'q',
    questType: 'hunt',
    eventType: 'STARTED',
    region: 'eu',
    rewardGold: 1,
    durationMs: 1,
    occurredAt: Date.UTC(2026, 10, 1, 12),
    ...given,
  }
}

/** A log in memory with one partition for each list of events; a Buffer is taken as it is. */
export async function questLog(...partitions: (readonly (GeneratedQuestEvent | Buffer)[])[]): Promise<Log> {
  const clock = { now: () => Date.UTC(2026, 10, 2), sleep: async () => undefined }
  const log = await embeddedLog({ clock, store: await memoryEngine().open('log') })
  await log.createTopics([{ name: TOPIC, partitions: partitions.length, config: {} }])
  const writer = await wireWriter(`${TOPIC}-value`, questEventSchema, fileRegistry({ schemas: [] }))
  const producer = await log.producer()
  for (const [partition, events] of partitions.entries()) {
    for (const event of events) {
      const bytes = Buffer.isBuffer(event) ? event : writer.encode(event)
      producer.send(TOPIC, partition, null, bytes, clock.now())
    }
  }
  await producer.flush()
  await producer.close()
  return log
}
