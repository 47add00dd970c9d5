import { MillraceError } from '../model/errors.js'
import type { Log } from '../ports/log.js'

/** Partitions of a topic that a command makes when nobody says how many. */
const NEW_TOPIC_PARTITIONS = 8

/** Kafka deletes by a record's timestamp, which is its event time here: old events would be gone at once. */
const KEPT = { 'retention.ms': '-1' }

/**
 * Number of partitions of a topic, which is created where it does not exist.
 * @throws MillraceError MISSING_TOPIC when the log does not show the topic after creating it.
 */
export async function targetTopic(log: Log, topic: string, partitions = NEW_TOPIC_PARTITIONS): Promise<number> {
  const existing = (await log.describeTopics([topic])).get(topic)
  if (existing !== undefined) return existing.partitions
  await log.createTopics([{ name: topic, partitions, config: KEPT }])
  const created = (await log.describeTopics([topic])).get(topic)
  if (created !== undefined) return created.partitions
  throw new MillraceError(
    'MISSING_TOPIC',
    `The topic "${topic}" was created on ${log.name} and is not there. Try again.`,
  )
}

/** Records in a topic, deleted ones before its first offset included; 0 when there is no such topic. Reads the whole topic. */
export async function recordsInTopic(log: Log, topic: string): Promise<number> {
  const description = (await log.describeTopics([topic])).get(topic)
  let records = 0
  for (let partition = 0; partition < (description?.partitions ?? 0); partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    records += low
    for await (const batch of log.read({ topic, partition }, low, high)) records += batch.count
  }
  return records
}
