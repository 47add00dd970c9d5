import type { EofEvent } from 'node-rdkafka'
import { type RecordBatch, sliceBatch } from '../../model/record-batch.js'
import { type PartitionOffset, partitionId, type TopicPartition } from '../../model/topic-partition.js'
import type { Polled } from '../../ports/log.js'

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
  batches: RecordBatch[]
}

const lastOffset = ({ offsets, count }: RecordBatch) => offsets[count - 1] as number

/** The offset behind all that was taken. What is read again below it, after a new assignment, was taken already. */
function behind({ batches, next }: Reading): number {
  const last = batches.at(-1)
  return last ? lastOffset(last) + 1 : next
}

/** The partitions that a consumer reads: positions, and what was taken from librdkafka for them. */
export class Readings {
  private readonly byId = new Map<string, Reading>()

  start({ topic, partition, offset }: PartitionOffset): void {
    const at = { topic, partition }
    this.byId.set(partitionId(at), { ...at, next: offset, paused: false, reportedEnd: -1, end: -1, batches: [] })
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
    if (reading) Object.assign(reading, { next: position.offset, reportedEnd: -1, end: -1, batches: [] })
  }

  keep(batches: readonly RecordBatch[]): void {
    for (const batch of batches) {
      const reading = this.byId.get(partitionId(batch))
      if (!reading) continue
      const least = behind(reading)
      let from = 0
      while (from < batch.count && (batch.offsets[from] as number) < least) from++
      if (from < batch.count) reading.batches.push(sliceBatch(batch, from))
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
      for (let batch = reading.batches[0]; batch !== undefined && room > 0; batch = reading.batches[0]) {
        const taken = sliceBatch(batch, 0, Math.min(batch.count, room))
        if (taken.count === batch.count) reading.batches.shift()
        else reading.batches[0] = sliceBatch(batch, taken.count)
        room -= taken.count
        reading.next = lastOffset(taken) + 1
        batches.push(taken)
      }
      const { end } = reading
      if (reading.batches.length > 0 || end < reading.next || end === reading.reportedEnd) continue
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
