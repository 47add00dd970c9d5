import { join } from 'node:path'
import { Sample, scalarFields } from '../../src/advise/sample.js'
import { type GeneratedQuestEvent, questEvents } from '../../src/cli/quest-events.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { readSchemaFile } from '../../src/serde/schema-files.js'

export const QUEST_SCHEMA = readSchemaFile(join(import.meta.dirname, '../../schemas/quest-event.avsc')).schema
export const serde = avroSerde(fileRegistry({ schemas: [] }))

/** Event time of the first event. */
const START = Date.UTC(2026, 10, 1)
const SIX_HOURS = 6 * 3_600_000

/** What is done to a generated event, by its index. */
export type Change = (event: GeneratedQuestEvent, index: number) => Partial<GeneratedQuestEvent>

/** A few users send a fifth of all events: keyed by user, their partitions are hot. Quest types are few, as generated. */
export const activeUsers: Change = ({ rewardGold }, index) =>
  index % 5 === 0 ? { userId: `whale-${rewardGold % 3}` } : {}

const evenUser = (index: number): string => `u${String(Math.imul(index, 2_654_435_761) >>> 24).padStart(3, '0')}`

/** 256 users who are all as active; one quest type takes nearly everything. */
export const oneQuestType: Change = (_, index) => ({
  userId: evenUser(index),
  questType: index % 100 === 0 ? 'raid' : 'hunt',
})

/** The same users; quest types that are different for nearly every event. */
export const uniqueQuestTypes: Change = ({ eventId }, index) => ({
  userId: evenUser(index),
  questType: `custom-${eventId}`,
})

/** What is left when events have only what a player did: no other field competes. */
export const QUEST_KEYS = ['questType', 'userId']

/** The seeded quest events, changed, in the order of their index. */
export function* changedEvents(total: number, change: Change): Generator<GeneratedQuestEvent> {
  const event = questEvents({ seed: 42, start: START, spanMs: SIX_HOURS, total })
  for (let index = 0; index < total; index++) {
    const generated = event(index)
    yield { ...generated, ...change(generated, index) }
  }
}

/** A sample of them as a topic of 8 partitions that is keyed by user holds them. */
export function questSample(total: number, change: Change): Sample {
  const sample = new Sample(scalarFields(QUEST_SCHEMA), serde)
  for (const event of changedEvents(total, change)) {
    const lane = partitionFor(Buffer.from(event.userId), 8)
    sample.add({ ...event }, event.userId, lane, event.occurredAt)
  }
  return sample
}
