import { MillraceError } from '../model/errors.js'
import type { Header, RecordBatch } from '../model/record-batch.js'
import type { PartitionOffset, TopicPartition } from '../model/topic-partition.js'

/** A topic to create. `config` are Kafka topic settings such as `cleanup.policy`. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** What a log knows of a topic. `id` changes when a topic is deleted and created again; absent where the log cannot tell. */
export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly id?: string
}

/** First offset that is still there, and the offset behind the last record (records of open transactions included). */
export interface Watermarks {
  readonly low: number
  readonly high: number
}

/** What one `poll` brought. */
export interface Polled {
  /** Each of one partition; those of one partition in offset order. Only committed records. */
  readonly batches: readonly RecordBatch[]
  /** Partitions read to their end, with the position reached. Reported again after new records were read to the end. */
  readonly ends: readonly PartitionOffset[]
  /** Newly owned partitions: answer with `assign` once their state is there. Nothing is read from them before. */
  readonly assigned: readonly TopicPartition[]
  /** Partitions to give up: commit what they hold, then answer with `release`. */
  readonly revoked: readonly TopicPartition[]
  /** Partitions that somebody else may own already: drop what they hold without a commit, then answer with `release`. */
  readonly lost: readonly TopicPartition[]
}

/** Reads partitions that its caller chooses, outside any group. One `poll` at a time; no call after `close`. */
export interface LogReader {
  /**
   * Waits up to `timeoutMs` for something and returns at once when there is something.
   * @throws MillraceError OFFSET_GONE when a position is no longer in the log; LOG when the log is out of reach for good.
   */
  poll(maxRecords: number, timeoutMs: number): Promise<Polled>
  /** Starts to read partitions from these offsets. */
  assign(positions: readonly PartitionOffset[]): void
  /** Stops reading partitions and gives them up. */
  release(partitions: readonly TopicPartition[]): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Reads on from another offset of an assigned partition. */
  seek(position: PartitionOffset): Promise<void>
  close(): Promise<void>
}

/** A member of a consumer group: it reads only what the group assigned to it. `close` leaves, without a commit. */
export interface LogConsumer extends LogReader {
  /** The group has answered: the partitions of this member, which may be none, were said, and its session goes on. */
  readonly joined: boolean
  subscribe(topics: readonly string[]): void
  /**
   * Committed offsets of this group, by `partitionId`; a partition without one is absent. Waits for offsets that are
   * pending in an open transaction ("stable" offsets), because another owner's commit may be on its way.
   */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>
  /** Commits offsets outside a transaction (at least once). @throws LogError */
  commit(offsets: readonly PartitionOffset[]): Promise<void>
}

/** Writes records. With a transactional id, everything is sent between `begin` and `commit` or `abort`. */
export interface LogProducer {
  /** Opens a transaction. Only with a transactional id. */
  begin(): Promise<void>
  /** Queues a record; a failure to deliver it is thrown by the next `flush` or `commit`. */
  send(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers?: readonly Header[],
  ): void
  /** Adds offsets of `consumer`'s group to the transaction; refused when the consumer's generation is over. @throws LogError */
  sendOffsets(offsets: readonly PartitionOffset[], consumer: LogConsumer): Promise<void>
  /** @throws LogError */
  commit(): Promise<void>
  abort(): Promise<void>
  /** Waits until all that was sent is acknowledged. @throws LogError */
  flush(): Promise<void>
  close(): Promise<void>
}

/** A log of topics: Kafka, or the embedded one. */
export interface Log {
  /** For messages: `Kafka at localhost:9092`, `the embedded log in .millrace/log`. */
  readonly name: string
  /** Topics that exist among `names`. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /** Creates the topics that do not exist yet and waits until they can be used. Existing ones are left as they are. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>
  watermarks(at: TopicPartition): Promise<Watermarks>
  /**
   * Committed records of `[from, to)` outside any group. Ends when position `to` is reached. A batch may be empty: the log
   * waits, for a broker or for an open transaction to end, and lets the reader do something else meanwhile.
   */
  read(at: TopicPartition, from: number, to: number): AsyncIterable<RecordBatch>
  consumer(options: { readonly group: string; readonly instanceId?: string }): Promise<LogConsumer>
  /** A reader of partitions that no group assigns; each poll tells of no changes. */
  reader(): Promise<LogReader>
  /**
   * A producer. With a transactional id it is ready for `begin` and has fenced its predecessor of the same id and
   * aborted that one's open transaction.
   */
  producer(options?: { readonly transactionalId?: string }): Promise<LogProducer>
  close(): Promise<void>
}

/**
 * A failure of the log, and what it means for the caller: `abort` - abort the transaction and start again from the
 * committed offsets; `fatal` - this producer or consumer is of no use any more (fenced, or the log refuses it).
 */
export class LogError extends MillraceError {
  constructor(
    readonly action: 'abort' | 'fatal',
    message: string,
    options?: {
      readonly cause?: unknown
      /** Another producer or member took over: LOG_FENCED. */
      readonly fenced?: boolean
      /** Credentials, certificates or permissions do not suffice, until somebody changes them: LOG_REFUSED. */
      readonly refused?: boolean
    },
  ) {
    super(options?.fenced ? 'LOG_FENCED' : options?.refused ? 'LOG_REFUSED' : 'LOG', message, options)
  }
}
