import { randomUUID } from 'node:crypto'
import { type Header, keyBytesAt, type RecordBatch, valueBytesAt } from '../../src/model/record-batch.js'
import { type PartitionOffset, partitionId, type TopicPartition } from '../../src/model/topic-partition.js'
import type { LogConsumer, LogReader, Polled } from '../../src/ports/log.js'

/** A record as the tests compare it. */
export interface PlainRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly Header[]
}

export function plain(batch: RecordBatch): PlainRecord[] {
  return Array.from({ length: batch.count }, (_, index) => ({
    partition: batch.partition,
    offset: batch.offsets[index] as number,
    timestamp: batch.timestamps[index] as number,
    key: keyBytesAt(batch, index)?.toString() ?? null,
    value: valueBytesAt(batch, index)?.toString() ?? null,
    headers: batch.headers(index),
  }))
}

/** Unique names, so that tests of one broker do not meet. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`
}

/** Polls a consumer, answers assignments from the committed offsets and gives up what is revoked, and keeps all of it. */
export class Member<C extends LogReader = LogConsumer> {
  readonly records: (PlainRecord & { readonly topic: string })[] = []
  readonly ends: PartitionOffset[] = []
  readonly owned = new Map<string, TopicPartition>()
  readonly revoked: TopicPartition[] = []
  readonly lost: TopicPartition[] = []

  constructor(readonly consumer: C) {}

  async poll(timeoutMs = 100, maxRecords = 1_000): Promise<Polled> {
    const polled = await this.consumer.poll(maxRecords, timeoutMs)
    for (const batch of polled.batches) {
      for (const record of plain(batch)) this.records.push({ topic: batch.topic, ...record })
    }
    this.ends.push(...polled.ends)
    this.revoked.push(...polled.revoked)
    this.lost.push(...polled.lost)
    const gone = [...polled.revoked, ...polled.lost]
    for (const at of gone) this.owned.delete(partitionId(at))
    if (gone.length > 0) this.consumer.release(gone)
    if (polled.assigned.length > 0) {
      const committed = await (this.consumer as LogReader as LogConsumer).committed(polled.assigned)
      for (const at of polled.assigned) this.owned.set(partitionId(at), at)
      this.consumer.assign(polled.assigned.map(at => ({ ...at, offset: committed.get(partitionId(at)) ?? 0 })))
    }
    return polled
  }

  get ids(): string[] {
    return [...this.owned.keys()].sort()
  }

  /** Values of a partition in the order in which they came. */
  values(partition = 0): (string | null)[] {
    return this.records.filter(record => record.partition === partition).map(({ value }) => value)
  }
}

/** Polls all members in turn until `done`, which must come true within `withinMs`. */
export async function pollUntil(
  members: readonly Member<LogReader>[],
  done: () => boolean,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!done()) {
    if (Date.now() > deadline) {
      const state = members.map(({ ids, records }) => `${ids.join(' ') || 'nothing'}, ${records.length} records`)
      throw new Error(`Not reached within ${withinMs} ms. Members own: ${state.join(' | ')}`)
    }
    for (const member of members) await member.poll(20)
  }
}
