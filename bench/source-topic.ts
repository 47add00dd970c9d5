import { fileURLToPath } from 'node:url'
import { partitionFor } from '../src/model/murmur2.js'
import type { Log } from '../src/ports/log.js'
import { fileRegistry } from '../src/serde/file-registry.js'
import { readSchemaFile } from '../src/serde/schema-files.js'
import { wireHeader } from '../src/serde/wire-format.js'
import { type Cell, Workload } from './workload.js'

export const SCHEMAS = fileURLToPath(new URL('../schemas', import.meta.url))
const PARTITIONS = 8
/** Events between two waits for acknowledgements. */
const EVENTS_A_FLUSH = 100_000

/** Records in a topic; undefined where it does not exist. */
async function recordsIn(log: Log, topic: string): Promise<number | undefined> {
  const found = (await log.describeTopics([topic])).get(topic)
  if (found === undefined) return undefined
  let records = 0
  for (let partition = 0; partition < found.partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    records += high - low
  }
  return records
}

/**
 * Puts the first `events` events of the workload into `topic`, unless it holds them already, and answers the cells that
 * the job has to find: 8 partitions, keyed by user, never deleted by age.
 */
export async function loadWorkload(log: Log, topic: string, events: number): Promise<ReadonlyMap<string, Cell>> {
  const held = await recordsIn(log, topic)
  if (held !== undefined && held !== events) {
    throw new Error(`${topic} holds ${held} records instead of ${events}: a load was cut off. Delete the topic.`)
  }
  if (held === undefined) {
    await log.createTopics([{ name: topic, partitions: PARTITIONS, config: { 'retention.ms': '-1' } }])
  }
  const { schema } = readSchemaFile(`${SCHEMAS}/quest-event.avsc`)
  const id = await fileRegistry({ schemas: SCHEMAS }).register(`${topic}-value`, schema)
  const workload = new Workload(wireHeader(id))
  const producer = await log.producer()
  try {
    for (let index = 0; index < events; index++) {
      const value = workload.next()
      if (held !== undefined) continue
      const key = Buffer.from(workload.userId)
      producer.send(topic, partitionFor(key, PARTITIONS), key, value, workload.timestamp)
      if (index % EVENTS_A_FLUSH === EVENTS_A_FLUSH - 1) await producer.flush()
    }
    await producer.flush()
  } finally {
    await producer.close()
  }
  return workload.expected
}

/** Records of a topic, and the bytes of their keys and values. */
export interface Traffic {
  records: number
  bytes: number
}

/** What stands in a topic. Compaction may have taken records away. */
export async function trafficOf(log: Log, topic: string): Promise<Traffic> {
  const traffic: Traffic = { records: 0, bytes: 0 }
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    for await (const batch of log.read({ topic, partition }, low, high)) {
      traffic.records += batch.count
      for (const lengths of [batch.keyLength, batch.valueLength]) {
        for (const length of lengths) traffic.bytes += Math.max(0, length)
      }
    }
  }
  return traffic
}
