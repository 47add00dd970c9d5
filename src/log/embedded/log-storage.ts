import { randomUUID } from 'node:crypto'
import { messageOf } from '../../model/errors.js'
import { partitionId, type TopicPartition } from '../../model/topic-partition.js'
import type { Clock } from '../../ports/clock.js'
import { LogError, type TopicSpec } from '../../ports/log.js'
import type { Store, StoreWrite } from '../../ports/store.js'
import { boundsKey, chunkKey, chunksEnd, committedKey, lastOffsetOf, TOPIC_RANGE, topicKey } from './keys.js'
import type { RecordChunkWriter } from './record-chunk.js'

/** A partition as memory holds it. Offsets of committed records are `[low, high)`, gaps where it was compacted. */
export interface PartitionState {
  readonly topic: TopicState
  readonly partition: number
  low: number
  high: number
  /** Offset up to which superseded records were removed. */
  cleanedTo: number
}

export interface TopicState {
  readonly name: string
  readonly id: string
  /** Stands for the topic in keys. */
  readonly number: number
  readonly config: Readonly<Record<string, string>>
  readonly partitions: readonly PartitionState[]
}

/** Records to append to one partition. */
export interface PendingPartition {
  readonly at: PartitionState
  readonly chunks: RecordChunkWriter[]
}

/** Offsets to commit for a group. */
export interface PendingOffsets {
  readonly group: string
  readonly at: TopicPartition
  readonly offset: number
}

/** Topics, records and committed offsets in a store. Every append is one atomic write, and appends stand in a line. */
export class LogStorage {
  readonly topics = new Map<string, TopicState>()
  /** Called after records were committed. */
  readonly listeners = new Set<() => void>()
  private line: Promise<void> = Promise.resolve()

  private constructor(
    readonly store: Store,
    readonly name: string,
    private readonly clock: Clock,
  ) {}

  static async open(store: Store, name: string, clock: Clock): Promise<LogStorage> {
    const storage = new LogStorage(store, name, clock)
    for await (const [, value] of store.range(TOPIC_RANGE[0], TOPIC_RANGE[1])) {
      const { partitions, ...topic } = JSON.parse(value.toString())
      storage.register(topic, partitions)
    }
    for (const { partitions } of storage.topics.values()) {
      const bounds = await store.getMany(partitions.map(at => boundsKey(at.topic.number, at.partition)))
      for (const at of partitions) {
        const value = bounds[at.partition]
        at.low = value?.readDoubleBE(0) ?? 0
        at.cleanedTo = value?.readDoubleBE(8) ?? 0
        const [first, end] = [chunkKey(at.topic.number, at.partition, 0), chunksEnd(at.topic.number, at.partition)]
        at.high = at.low
        for await (const [key] of store.range(first, end, { reverse: true, limit: 1 })) at.high = lastOffsetOf(key) + 1
      }
    }
    return storage
  }

  private register(topic: Omit<TopicState, 'partitions'>, count: number): void {
    const partitions: PartitionState[] = []
    const state = { ...topic, partitions }
    for (let partition = 0; partition < count; partition++) {
      partitions.push({ topic: state, partition, low: 0, high: 0, cleanedTo: 0 })
    }
    this.topics.set(topic.name, state)
  }

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.inLine(async () => {
      for (const { name, partitions, config } of specs) {
        if (this.topics.has(name)) continue
        const topic = { name, id: randomUUID(), number: this.topics.size + 1, config }
        await this.write([
          { type: 'put', key: topicKey(name), value: Buffer.from(JSON.stringify({ ...topic, partitions })) },
        ])
        this.register(topic, partitions)
      }
    })
  }

  partition(at: TopicPartition): PartitionState {
    const found = this.topics.get(at.topic)?.partitions[at.partition]
    if (found) return found
    throw new LogError('fatal', `${this.name} has no partition ${partitionId(at)}. Create the topic first.`)
  }

  /**
   * Appends records and commits offsets in one atomic write, once all earlier ones are done. `guard` runs right before
   * and throws where the writer may not write any more.
   */
  append(records: Iterable<PendingPartition>, offsets: readonly PendingOffsets[], guard: () => void): Promise<void> {
    return this.inLine(async () => {
      guard()
      const now = this.clock.now()
      const batch: StoreWrite[] = []
      const highs = new Map<PartitionState, number>()
      for (const { at, chunks } of records) {
        let base = at.high
        for (const chunk of chunks) {
          const { bytes, lastOffset } = chunk.finish(base, now)
          batch.push({ type: 'put', key: chunkKey(at.topic.number, at.partition, lastOffset), value: bytes })
          base = lastOffset + 1
        }
        highs.set(at, base)
      }
      for (const { group, at, offset } of offsets) {
        const value = Buffer.alloc(8)
        value.writeDoubleBE(offset)
        batch.push({ type: 'put', key: committedKey(group, at), value })
      }
      if (batch.length === 0) return
      await this.write(batch)
      for (const [at, high] of highs) at.high = high
      for (const listener of this.listeners) listener()
    })
  }

  /** Committed offsets, after all writes under way. */
  async committed(group: string, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    await this.line
    const values = await this.store.getMany(partitions.map(at => committedKey(group, at)))
    const offsets = new Map<string, number>()
    partitions.forEach((at, index) => {
      const value = values[index]
      if (value) offsets.set(partitionId(at), value.readDoubleBE(0))
    })
    return offsets
  }

  /** Chunks that hold records of a partition from `from` on: as many as hold `records`, at most `limit`. */
  async chunks(at: PartitionState, from: number, limit: number): Promise<{ key: Buffer; bytes: Buffer }[]> {
    const found: { key: Buffer; bytes: Buffer }[] = []
    const { number } = at.topic
    const range = this.store.range(chunkKey(number, at.partition, from), chunksEnd(number, at.partition), { limit })
    for await (const [key, bytes] of range) found.push({ key, bytes })
    return found
  }

  /** Resolves when all writes that were asked for are done. */
  settled(): Promise<void> {
    return this.line
  }

  private inLine(step: () => Promise<void>): Promise<void> {
    const done = this.line.then(step)
    this.line = done.catch(() => undefined)
    return done
  }

  private async write(batch: readonly StoreWrite[]): Promise<void> {
    try {
      await this.store.write(batch)
    } catch (thrown) {
      throw new LogError('fatal', `${this.name} could not be written: ${messageOf(thrown)}. Nothing of it was kept.`, {
        cause: thrown,
      })
    }
  }
}
