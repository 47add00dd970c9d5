import { partitionFor } from '../../src/model/murmur2.js'
import type { Log, LogProducer } from '../../src/ports/log.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { readSchemaFile } from '../../src/serde/schema-files.js'
import { wireHeader } from '../../src/serde/wire-format.js'
import { SCHEMAS } from '../source-topic.js'
import type { QuestEvents } from './quest-events.js'

export const PARTITIONS = 8
/** Events between two waits for acknowledgements. */
const EVENTS_A_FLUSH = 100_000

/** What stands before a quest event in `topic`. */
export async function eventHeader(topic: string): Promise<Buffer> {
  const { schema } = readSchemaFile(`${SCHEMAS}/quest-event.avsc`)
  return wireHeader(await fileRegistry({ schemas: SCHEMAS }).register(`${topic}-value`, schema))
}

/** A topic of quest events, keyed by user. */
export class EventTopic {
  private sent = 0

  private constructor(
    private readonly name: string,
    private readonly producer: LogProducer,
  ) {}

  static async create(log: Log, name: string): Promise<EventTopic> {
    await log.createTopics([{ name, partitions: PARTITIONS, config: { 'retention.ms': '-1' } }])
    return new EventTopic(name, await log.producer())
  }

  /** Sends the event that `events` made last, and answers its partition. */
  send(events: QuestEvents): number {
    const key = Buffer.from(events.event.userId, 'latin1')
    const partition = partitionFor(key, PARTITIONS)
    this.producer.send(this.name, partition, key, events.encoded(), events.event.occurredAt)
    this.sent++
    return partition
  }

  /** True where acknowledgements are to be waited for, by `flush`, before the next event. */
  get full(): boolean {
    return this.sent % EVENTS_A_FLUSH === 0
  }

  flush(): Promise<void> {
    return this.producer.flush()
  }

  close(): Promise<void> {
    return this.producer.close()
  }
}
