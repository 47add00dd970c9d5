import type { Header } from '../../model/record-batch.js'
import { type PartitionOffset, partitionId } from '../../model/topic-partition.js'
import { type LogConsumer, LogError, type LogProducer } from '../../ports/log.js'
import { EmbeddedConsumer } from './embedded-consumer.js'
import type { LogStorage, PendingPartition } from './log-storage.js'
import { RecordChunkWriter } from './record-chunk.js'

/** Bytes after which a producer without a transactional id writes without waiting for `flush`. */
const FLUSH_BYTES = 1024 * 1024
const NO_HEADERS: readonly Header[] = []

/** Keeps a transaction's records in memory and writes them, with its offsets, in one atomic write at commit. */
export class EmbeddedProducer implements LogProducer {
  private pending = new Map<string, PendingPartition>()
  private bytes = 0
  private offsets: { readonly consumer: EmbeddedConsumer; readonly offsets: readonly PartitionOffset[] }[] = []
  private open = false
  private fenced = false
  private closed = false
  private failure: unknown
  private writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly storage: LogStorage,
    private readonly transactionalId: string | undefined,
  ) {}

  /** Another producer took the transactional id: nothing that is not yet committed will be. */
  fence(): void {
    this.fenced = true
    this.reset()
  }

  async begin(): Promise<void> {
    this.requireUsable()
    if (this.transactionalId === undefined) throw new LogError('fatal', 'begin() needs a transactional id.')
    if (this.open) throw new LogError('fatal', 'begin() was called within a transaction. Commit or abort it first.')
    this.open = true
  }

  send(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers: readonly Header[] = NO_HEADERS,
  ): void {
    this.requireUsable()
    if (this.transactionalId !== undefined && !this.open) {
      throw new LogError('fatal', `A record for ${topic} was sent outside a transaction. Call begin() first.`)
    }
    const id = partitionId({ topic, partition })
    let pending = this.pending.get(id)
    if (!pending) {
      try {
        pending = { at: this.storage.partition({ topic, partition }), chunks: [] }
      } catch (thrown) {
        this.failure ??= thrown
        return
      }
      this.pending.set(id, pending)
    }
    let chunk = pending.chunks.at(-1)
    if (!chunk || chunk.full) {
      chunk = new RecordChunkWriter()
      pending.chunks.push(chunk)
    }
    chunk.add(key, value, timestamp, headers)
    this.bytes += (key?.length ?? 0) + (value?.length ?? 0)
    if (this.transactionalId === undefined && this.bytes > FLUSH_BYTES) this.write()
  }

  async sendOffsets(offsets: readonly PartitionOffset[], consumer: LogConsumer): Promise<void> {
    this.requireUsable()
    if (!this.open) throw new LogError('fatal', 'sendOffsets() was called outside a transaction. Call begin() first.')
    if (!(consumer instanceof EmbeddedConsumer)) {
      throw new LogError('fatal', 'sendOffsets() needs a consumer of the same log.')
    }
    consumer.requireOwner(offsets)
    this.offsets.push({ consumer, offsets })
  }

  async commit(): Promise<void> {
    this.requireUsable()
    if (!this.open) throw new LogError('fatal', 'commit() was called outside a transaction. Call begin() first.')
    const { failure, offsets, pending } = this
    if (failure) throw failure
    await this.storage.append(
      pending.values(),
      offsets.flatMap(({ consumer, offsets }) => offsets.map(at => ({ group: consumer.group, at, offset: at.offset }))),
      () => {
        this.requireUsable()
        for (const { consumer, offsets } of this.offsets) consumer.requireOwner(offsets)
      },
    )
    this.reset()
  }

  async abort(): Promise<void> {
    this.requireUsable()
    this.reset()
  }

  async flush(): Promise<void> {
    this.requireUsable()
    if (this.transactionalId === undefined) {
      this.write()
      await this.writing
    }
    const { failure } = this
    if (this.transactionalId === undefined) this.failure = undefined
    if (failure) throw failure
  }

  async close(): Promise<void> {
    if (this.closed) return
    if (this.transactionalId === undefined) {
      this.write()
      await this.writing
    }
    this.closed = true
    this.reset()
  }

  /** Writes what was sent so far; a failure shows at the next `flush`. */
  private write(): void {
    const { pending } = this
    if (pending.size === 0) return
    this.pending = new Map()
    this.bytes = 0
    const written = this.storage.append(pending.values(), [], () => undefined)
    this.writing = Promise.all([
      this.writing,
      written.catch(thrown => {
        this.failure ??= thrown
      }),
    ]).then(() => undefined)
  }

  private reset(): void {
    this.pending = new Map()
    this.bytes = 0
    this.offsets = []
    this.open = false
    this.failure = undefined
  }

  private requireUsable(): void {
    if (this.fenced) {
      throw new LogError(
        'fatal',
        `The producer "${this.transactionalId}" was replaced by a newer one with the same transactional id. Stop this instance, or give it another instance id.`,
        { fenced: true },
      )
    }
    if (this.closed) throw new LogError('fatal', 'The producer is closed.')
  }
}
