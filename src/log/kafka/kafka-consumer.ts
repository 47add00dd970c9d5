import type { KafkaConsumer as NativeConsumer, TopicPartitionOffset } from 'node-rdkafka'
import { type PartitionOffset, partitionId, type TopicPartition } from '../../model/topic-partition.js'
import { type LogConsumer, LogError, type Polled, type Watermarks } from '../../ports/log.js'
import { connectToGroup, type Membership, Restarts } from './group-client.js'
import type { KafkaClient, KafkaContext } from './kafka-client.js'
import { CODE, isKafkaFailure, type KafkaFailure, logError, offsetGone } from './kafka-error.js'
import { Readings } from './readings.js'
import type { Rebalances } from './rebalances.js'
import { RecordSource } from './record-source.js'

/** Longest time that a native call blocks a thread of the pool, and that a rebalance waits to be seen, in ms. */
const SLICE_MS = 20
const CALL_MS = 5_000
/** After this long without a record or an end, positions are checked against what the broker holds, in ms. */
const STALL_MS = 10_000
interface GroupOptions extends Membership {
  watermarks(at: TopicPartition): Promise<Watermarks>
}

/** A member of a consumer group on librdkafka. */
export class KafkaConsumer implements LogConsumer {
  private client!: KafkaClient<NativeConsumer>
  private rebalances!: Rebalances
  private source!: RecordSource
  private readonly readings = new Readings()
  /** Partitions that librdkafka holds paused: it does so even after it lost and regained them. */
  private readonly paused = new Set<string>()
  private topics: readonly string[] = []
  private busy: Promise<void> | undefined
  private failure: unknown
  private commits: ((failure: KafkaFailure | undefined) => void)[] = []
  private lastProgress: number
  private readonly restarts: Restarts
  private closed = false

  private constructor(
    private readonly context: KafkaContext,
    private readonly options: GroupOptions,
  ) {
    this.lastProgress = context.clock.now()
    this.restarts = new Restarts(context, options)
  }

  static async connect(context: KafkaContext, options: GroupOptions): Promise<KafkaConsumer> {
    const consumer = new KafkaConsumer(context, options)
    await consumer.connect()
    return consumer
  }

  private async connect(): Promise<void> {
    const { client, rebalances } = await connectToGroup(this.context, this.options, {
      positions: () => this.readings.positions(),
      reachedEnd: event => this.readings.reachedEnd(event),
      committed: failure => this.commits.shift()?.(failure),
      failed: thrown => {
        if (!this.closed) this.failure = thrown
      },
    })
    this.client = client
    this.rebalances = rebalances
    this.source = new RecordSource(client)
  }

  get joined(): boolean {
    return this.rebalances.joined
  }

  subscribe(topics: readonly string[]): void {
    this.requireOpen()
    this.topics = topics
    this.native('Subscribing', native => {
      if (topics.length === 0) native.unsubscribe()
      else native.subscribe([...topics])
    })
  }

  async poll(maxRecords: number, timeoutMs: number): Promise<Polled> {
    this.requireOpen()
    const { clock } = this.context
    const deadline = clock.now() + timeoutMs
    await this.pump(maxRecords, 0)
    for (;;) {
      const changes = this.rebalances.take()
      this.readings.stop([...changes.revoked, ...changes.lost])
      const polled = { ...changes, ...this.readings.take(maxRecords) }
      if (polled.batches.length > 0 || polled.ends.length > 0) this.lastProgress = clock.now()
      if (Object.values(polled).some(list => list.length > 0)) return polled
      if (this.failure !== undefined) {
        const { failure } = this
        this.failure = undefined
        throw failure
      }
      if (clock.now() - this.lastProgress > STALL_MS) await this.checkPositions(this.readings.underWay())
      const left = deadline - clock.now()
      if (left <= 0) return polled
      await this.pump(maxRecords, Math.min(left, SLICE_MS))
    }
  }

  /** Takes up to `maxRecords` records from librdkafka into the readings; waits up to `waitMs` for a first one. */
  private pump(maxRecords: number, waitMs: number): Promise<void> {
    return this.alone(() => this.consume(maxRecords, waitMs))
  }

  /** Runs `step` while no other one takes messages or moves positions. */
  private async alone(step: () => Promise<void>): Promise<void> {
    while (this.busy) await this.busy
    const done = step()
    this.busy = done.then(
      () => undefined,
      () => undefined,
    )
    try {
      await done
    } finally {
      this.busy = undefined
    }
  }

  private async consume(maxRecords: number, waitMs: number): Promise<void> {
    try {
      this.readings.keep(await this.source.take(maxRecords, waitMs))
    } catch (thrown) {
      await this.consumeFailed(thrown)
    }
  }

  private async consumeFailed(thrown: unknown): Promise<void> {
    if (!isKafkaFailure(thrown)) throw thrown
    // librdkafka asks for a coordinator also where there is no group.
    if (this.options.group === undefined && thrown.code === CODE.groupAuthorization) return
    const { logger, name } = this.context
    switch (this.client.tokenRefused(thrown) ? CODE.transport : thrown.code) {
      case CODE.autoOffsetReset:
        await this.checkPositions(this.readings.positions())
        throw this.client.failed('Reading at a position that the broker refused', thrown)
      case CODE.maxPollExceeded:
        return this.rebalances.sessionLost()
      case CODE.fatal:
        return this.fatal(thrown)
      case CODE.notImplemented:
      case CODE.unsupportedCompression:
      case CODE.authentication:
      case CODE.topicAuthorization:
      case CODE.groupAuthorization:
      case CODE.fencedInstance:
      case CODE.state:
        throw this.client.failed('Reading', thrown)
      default:
        // librdkafka goes on by itself: it reconnects, finds leaders and topics again.
        logger.warn(`${name}: ${this.client.clean(thrown.message)} (code ${thrown.code}); reading goes on.`)
    }
  }

  /** The native client is of no use any more: start over where that helps. */
  private async fatal(failure: KafkaFailure): Promise<void> {
    const reason = await this.client.fatalReason()
    if (await this.restarts.worth(reason)) return this.reconnect()
    throw this.client.failed('Reading', { code: failure.code, message: `${failure.message}: ${reason}`, isFatal: true })
  }

  private async reconnect(): Promise<void> {
    const former = this.client
    this.readings.clear()
    this.paused.clear()
    await this.connect()
    if (this.closed) await this.client.close()
    else this.subscribe(this.topics)
    await former.close()
  }

  /** @throws MillraceError OFFSET_GONE for a position that the broker does not hold. */
  private async checkPositions(positions: readonly PartitionOffset[]): Promise<void> {
    this.lastProgress = this.context.clock.now()
    for (const at of positions) {
      const bounds = await this.options.watermarks(at)
      const gone = at.offset < bounds.low || at.offset > bounds.high
      if (gone && this.readings.has(at)) throw offsetGone(this.context.name, at, bounds)
    }
  }

  assign(positions: readonly PartitionOffset[]): void {
    this.requireOpen()
    const taken = positions.filter(at => this.rebalances.mayRead(at))
    for (const at of taken) this.readings.start(at)
    this.native('Assigning partitions', () => this.rebalances.assign(taken))
    this.resume(taken.filter(at => this.paused.has(partitionId(at))))
  }

  release(partitions: readonly TopicPartition[]): void {
    this.requireOpen()
    this.readings.stop(partitions)
    this.native('Releasing partitions', () => this.rebalances.release(partitions))
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.requireOpen()
    const known = this.readings.setPaused(partitions, true)
    for (const at of known) this.paused.add(partitionId(at))
    if (known.length > 0) this.native('Pausing', native => native.pause(known))
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.requireOpen()
    const known = this.readings.setPaused(partitions, false)
    for (const at of known) this.paused.delete(partitionId(at))
    if (known.length > 0) this.native('Resuming', native => native.resume(known))
  }

  seek(position: PartitionOffset): Promise<void> {
    this.requireOpen()
    return this.alone(() => this.seekAlone(position))
  }

  private async seekAlone(position: PartitionOffset): Promise<void> {
    if (!this.readings.has(position)) return
    this.readings.move(position)
    const { topic, partition, offset } = position
    const { clock } = this.context
    const deadline = clock.now() + CALL_MS
    for (;;) {
      try {
        const to = { topic, partition, offset }
        return await this.client.attempt<void>(done => this.client.native.seek(to, CALL_MS, f => done(f, undefined)))
      } catch (thrown) {
        // Right after `assign` the partition is not being fetched yet.
        const early = isKafkaFailure(thrown) && thrown.code === CODE.state && clock.now() < deadline
        if (!early) throw this.client.failed(`Seeking in ${topic}/${partition}`, thrown)
        await clock.sleep(SLICE_MS)
      }
    }
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    this.requireOpen()
    const offsets = new Map<string, number>()
    if (partitions.length === 0) return offsets
    const found = await this.client.retry<TopicPartitionOffset[]>('Reading committed offsets', done =>
      this.client.native.committed(
        partitions.map(({ topic, partition }) => ({ topic, partition })),
        CALL_MS,
        done,
      ),
    )
    for (const at of found) if (at.offset >= 0) offsets.set(partitionId(at), at.offset)
    return offsets
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    this.requireOpen()
    if (offsets.length === 0) return
    let answer: { readonly failure: KafkaFailure | undefined } | undefined
    this.native('Committing offsets', native => {
      native.commit(offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset })))
    })
    this.commits.push(failure => {
      answer = { failure }
    })
    // The answer comes through the queue that records come through.
    while (!answer && this.client.open) await this.pump(1, SLICE_MS)
    const failure = answer ? answer.failure : { code: CODE.state, message: 'the consumer was closed meanwhile' }
    if (!failure) return
    const refused = { code: failure.code, message: failure.message, isTxnRequiresAbort: true }
    throw logError(this.context.name, 'Committing offsets', refused, text => this.client.clean(text))
  }

  /** Runs a native call that answers at once. @throws LogError */
  private native(doing: string, call: (native: NativeConsumer) => void): void {
    try {
      call(this.client.native)
    } catch (thrown) {
      throw this.client.failed(doing, thrown)
    }
  }

  /**
   * Runs `use` with the native consumer, which stays connected meanwhile: the driver crashes the process on a
   * disconnected one. @throws LogError (abort) after `close`.
   */
  async lend<T>(use: (native: NativeConsumer) => Promise<T>): Promise<T> {
    if (!this.closed && this.client.open) return this.client.during(use(this.client.native))
    throw new LogError(
      'abort',
      `A consumer of group "${this.options.group}" may not commit offsets: it is closed. Start again from the committed offsets.`,
    )
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.readings.clear()
    this.rebalances.leave()
    await this.client.close()
  }

  private requireOpen(): void {
    if (!this.closed) return
    throw new LogError('fatal', `A consumer of group "${this.options.group}" was used after it was closed.`)
  }
}
