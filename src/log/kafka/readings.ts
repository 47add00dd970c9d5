import type { EofEvent, Message } from 'node-rdkafka'
import type { RecordBatch } from '../../model/record-batch.js'
import { type PartitionOffset, partitionId, type TopicPartition } from '../../model/topic-partition.js'
import type { Polled } from '../../ports/log.js'
import { packMessages } from './message-batches.js'

/** Where a consumer reads in one partition. */
interface Reading extends TopicPartition {
  /** Offset of the next record to hand out. */
  next: number
  paused: boolean
  /** The end that was last reported, or -1. */
  reportedEnd: number
  /** The end that librdkafka last saw, or -1. */
  end: number
  /** Taken from librdkafka and not yet handed out. */
  messages: Message[]
}

/** The offset behind all that was taken. What is read again below it, after a new assignment, was taken already. */
function behind({ messages, next }: Reading): number {
  const last = messages.at(-1)
  return last ? last.offset + 1 : next
}

/** The partitions that a consumer reads: positions, and what was taken from librdkafka for them. */
export class Readings {
  private readonly byId = new Map<string, Reading>()

  start({ topic, partition, offset }: PartitionOffset): void {
    const at = { topic, partition }
    this.byId.set(partitionId(at), { ...at, next: offset, paused: false, reportedEnd: -1, end: -1, messages: [] })
  }

  stop(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.byId.delete(partitionId(at))
  }

  clear(): void {
    this.byId.clear()
  }

  has(at: TopicPartition): boolean {
    return this.byId.has(partitionId(at))
  }

  /** Marks partitions, and gives those that are read. */
  setPaused(partitions: readonly TopicPartition[], paused: boolean): TopicPartition[] {
    return partitions.filter(at => {
      const reading = this.byId.get(partitionId(at))
      if (reading) reading.paused = paused
      return reading !== undefined
    })
  }

  move(position: PartitionOffset): void {
    const reading = this.byId.get(partitionId(position))
    if (reading) Object.assign(reading, { next: position.offset, reportedEnd: -1, end: -1, messages: [] })
  }

  keep(messages: readonly Message[]): void {
    for (const message of messages) {
      const reading = this.byId.get(partitionId(message))
      if (reading && message.offset >= behind(reading)) reading.messages.push(message)
    }
  }

  reachedEnd({ topic, partition, offset }: EofEvent): void {
    const reading = this.byId.get(partitionId({ topic, partition }))
    if (reading) reading.end = offset
  }

  /** Hands out up to `maxRecords` of what was taken, and ends that nothing came behind, of partitions that are not paused. */
  take(maxRecords: number): Pick<Polled, 'batches' | 'ends'> {
    const batches: RecordBatch[] = []
    const ends: PartitionOffset[] = []
    let room = maxRecords
    for (const reading of this.byId.values()) {
      if (reading.paused) continue
      const { topic, partition } = reading
      if (reading.messages.length > 0 && room > 0) {
        const messages = reading.messages.splice(0, room)
        room -= messages.length
        reading.next = (messages.at(-1) as Message).offset + 1
        batches.push(packMessages(topic, partition, messages))
      }
      const { end } = reading
      if (reading.messages.length > 0 || end < reading.next || end === reading.reportedEnd) continue
      reading.next = end
      reading.reportedEnd = end
      ends.push({ topic, partition, offset: end })
    }
    return { batches, ends }
  }

  /** Where librdkafka is to go on: behind all that was taken from it. */
  positions(): PartitionOffset[] {
    return [...this.byId.values()].map(reading => {
      const { topic, partition } = reading
      return { topic, partition, offset: behind(reading) }
    })
  }

  /** Positions at which more is to come: not paused, and not known to be the end. */
  underWay(): PartitionOffset[] {
    const open = [...this.byId.values()].filter(({ paused, next, end }) => !paused && next !== end)
    return open.map(({ topic, partition, next }) => ({ topic, partition, offset: next }))
  }
}
