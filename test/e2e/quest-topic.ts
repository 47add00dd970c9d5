import { fileURLToPath } from 'node:url'
import type { GeneratedQuestEvent } from '../../src/cli/quest-events.js'
import type { Log } from '../../src/ports/log.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { readSchemaFile } from '../../src/serde/schema-files.js'
import { wireWriter } from '../../src/serde/wire-format.js'

export const SCHEMAS = fileURLToPath(new URL('../../schemas', import.meta.url))

/** An event with the fields that matter to a test. */
export function questEvent(fields: Partial<GeneratedQuestEvent>): GeneratedQuestEvent {
  return {
    eventId: 'e',
    userId: 'u',
    questId: 'q',
    questType: 'hunt',
    eventType: 'STARTED',
    region: 'eu-north',
    rewardGold: 1,
    durationMs: 1,
    occurredAt: Date.now(),
    ...fields,
  }
}

/** Encodes quest events as producers with a schema registry do. */
export async function questEncoder(topic: string): Promise<(event: GeneratedQuestEvent) => Buffer> {
  const { schema } = readSchemaFile(`${SCHEMAS}/quest-event.avsc`)
  const writer = await wireWriter(`${topic}-value`, schema, fileRegistry({ schemas: SCHEMAS }))
  return event => writer.encode(event)
}

/** Writes quest events into chosen partitions. */
export class QuestTopic {
  private constructor(
    private readonly topic: string,
    private readonly producer: Awaited<ReturnType<Log['producer']>>,
    private readonly encode: (event: GeneratedQuestEvent) => Buffer,
  ) {}

  static async create(log: Log, topic: string, partitions: number): Promise<QuestTopic> {
    await log.createTopics([{ name: topic, partitions, config: {} }])
    return new QuestTopic(topic, await log.producer(), await questEncoder(topic))
  }

  async send(partition: number, events: readonly GeneratedQuestEvent[]): Promise<void> {
    for (const event of events) {
      this.producer.send(this.topic, partition, Buffer.from(event.userId), this.encode(event), event.occurredAt)
    }
    await this.producer.flush()
  }

  close(): Promise<void> {
    return this.producer.close()
  }
}
