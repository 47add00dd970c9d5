import { MillraceError } from '../../model/errors.js'
import type { RecordBatch } from '../../model/record-batch.js'
import type { TopicPartition } from '../../model/topic-partition.js'
import type { Clock } from '../../ports/clock.js'
import {
  type Log,
  type LogConsumer,
  LogError,
  type LogProducer,
  type LogReader,
  type TopicDescription,
  type TopicSpec,
  type Watermarks,
} from '../../ports/log.js'
import type { Store, StoreEngine } from '../../ports/store.js'
import { compact, retain } from './compaction.js'
import { EmbeddedConsumer, offsetGone } from './embedded-consumer.js'
import { EmbeddedProducer } from './embedded-producer.js'
import { Group } from './group.js'
import { lastOffsetOf } from './keys.js'
import { LogStorage, type PartitionState } from './log-storage.js'
import { packChunks } from './record-chunk.js'

/** Kafka's `max.poll.interval.ms`. */
const SESSION_TIMEOUT_MS = 300_000
const CLEAN_EVERY = 200_000
const CHUNKS_A_READ = 64

export interface EmbeddedLogOptions {
  readonly clock: Clock
  /** For messages; default `the embedded log`. */
  readonly name?: string
  /** A member that does not poll for longer loses its partitions, in ms; default 5 minutes. */
  readonly sessionTimeoutMs?: number
  /** Records appended to a partition between two cleanings (compaction, retention); default 200,000. */
  readonly cleanEvery?: number
}

/**
 * A log in a store, for one process: what Kafka does for Millrace, without Kafka. Several workers of the process may
 * share it. `close` closes the store.
 */
export async function embeddedLog(options: EmbeddedLogOptions & { readonly store: Store }): Promise<Log> {
  const storage = await LogStorage.open(options.store, options.name ?? 'the embedded log', options.clock)
  return new EmbeddedLog(storage, options)
}

/**
 * The embedded log in a directory.
 * @throws MillraceError LOG_IN_USE when another program has it open.
 */
export async function openEmbeddedLog(
  options: EmbeddedLogOptions & { readonly engine: StoreEngine; readonly directory: string },
): Promise<Log> {
  const name = options.name ?? `the embedded log in ${options.directory}`
  try {
    return await embeddedLog({ ...options, name, store: await options.engine.open(options.directory) })
  } catch (thrown) {
    if (!(thrown instanceof MillraceError && thrown.code === 'STORE_IN_USE')) throw thrown
    throw new MillraceError(
      'LOG_IN_USE',
      `Another program has ${name} open. Stop it, or use another folder: an embedded log serves one process; several processes need Kafka.`,
      { cause: thrown },
    )
  }
}

class EmbeddedLog implements Log {
  readonly name: string
  private readonly groups = new Map<string, Group>()
  private readonly producers = new Map<string, EmbeddedProducer>()
  private members = 0
  private cleaning: Promise<void> | undefined
  private closed = false

  constructor(
    private readonly storage: LogStorage,
    private readonly options: EmbeddedLogOptions,
  ) {
    this.name = storage.name
    storage.listeners.add(() => this.clean())
    this.clean()
  }

  async describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    const found = new Map<string, TopicDescription>()
    for (const name of names) {
      const topic = this.storage.topics.get(name)
      if (topic) found.set(name, { name, partitions: topic.partitions.length, id: topic.id })
    }
    return found
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    await this.storage.createTopics(topics)
    for (const group of this.groups.values()) group.rebalance()
  }

  async watermarks(at: TopicPartition): Promise<Watermarks> {
    const { low, high } = this.storage.partition(at)
    return { low, high }
  }

  async *read(at: TopicPartition, from: number, to: number): AsyncIterable<RecordBatch> {
    const partition = this.storage.partition(at)
    let next = from
    while (next < to) {
      if (next < partition.low) throw offsetGone(this.name, partition, next)
      const end = Math.min(to, partition.high)
      if (next >= end) {
        await this.appended()
        continue
      }
      const chunks = await this.storage.chunks(partition, next, CHUNKS_A_READ)
      const bytes = chunks.map(chunk => chunk.bytes)
      const batch = packChunks(at.topic, at.partition, bytes, next, end, Number.POSITIVE_INFINITY)
      const last = chunks.at(-1)
      next = last ? Math.min(end, lastOffsetOf(last.key) + 1) : end
      if (batch.count > 0) yield batch
    }
  }

  /** Resolves after the next append. */
  private appended(): Promise<void> {
    return new Promise((resolve, reject) => {
      const listener = () => {
        this.storage.listeners.delete(listener)
        if (this.closed) reject(new LogError('fatal', `${this.name} was closed.`))
        else resolve()
      }
      this.storage.listeners.add(listener)
    })
  }

  async consumer(options: { readonly group: string; readonly instanceId?: string }): Promise<LogConsumer> {
    let group = this.groups.get(options.group)
    if (!group) {
      const partitionsOf = (topic: string) => this.storage.topics.get(topic)?.partitions.length ?? 0
      group = new Group(this.options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS, partitionsOf)
      this.groups.set(options.group, group)
    }
    // Members stand in the order of their names: by instance, then as they came.
    const name = `${options.instanceId ?? ''}#${String(this.members++).padStart(9, '0')}`
    return new EmbeddedConsumer(this.storage, options.group, group, name, this.options.clock)
  }

  async reader(): Promise<LogReader> {
    return new EmbeddedConsumer(this.storage, '', undefined, '', this.options.clock)
  }

  async producer(options: { readonly transactionalId?: string } = {}): Promise<LogProducer> {
    const { transactionalId } = options
    const producer = new EmbeddedProducer(this.storage, transactionalId)
    if (transactionalId !== undefined) {
      this.producers.get(transactionalId)?.fence()
      this.producers.set(transactionalId, producer)
      await this.storage.settled()
    }
    return producer
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    for (const listener of this.storage.listeners) listener()
    await Promise.all([this.cleaning, this.storage.settled()])
    await this.storage.store.close()
  }

  /** Cleans, one after the other, the partitions that grew enough since they were cleaned. */
  private clean(): void {
    if (this.closed || this.cleaning) return
    const every = this.options.cleanEvery ?? CLEAN_EVERY
    const due: PartitionState[] = []
    for (const { partitions } of this.storage.topics.values()) {
      for (const at of partitions) if (at.high - at.cleanedTo >= every && cleanable(at)) due.push(at)
    }
    if (due.length === 0) return
    this.cleaning = this.cleanAll(due).then(
      () => {
        this.cleaning = undefined
      },
      () => {
        // The log stays correct without it. What hinders it shows in the next append, and the next opening tries again.
      },
    )
  }

  private async cleanAll(due: readonly PartitionState[]): Promise<void> {
    for (const at of due) {
      if (this.closed) return
      const now = this.options.clock.now()
      if (policy(at).includes('compact')) await compact(this.storage.store, at, now, () => this.closed)
      if (policy(at).includes('delete')) await retain(this.storage.store, at, now)
    }
  }
}

function policy(at: PartitionState): string {
  return at.topic.config['cleanup.policy'] ?? 'delete'
}

function cleanable(at: PartitionState): boolean {
  return policy(at).includes('compact') || at.topic.config['retention.ms'] !== undefined
}
