import { MillraceError, messageOf } from '../model/errors.js'
import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { Log, LogConsumer } from '../ports/log.js'
import type { Histogram } from '../ports/metrics.js'
import type { Warehouse } from '../ports/warehouse.js'
import { Attempt } from './attempt.js'
import type { DeadLetters } from './dead-letters.js'
import { SinkTask } from './sink-task.js'
import type { StreamProcessOptions } from './stream-process-options.js'
import type { RowsProgram } from './sub-topology-program.js'

/** How long a sink that was taken over waits for the group to take its partition, too, before the process stops, in ms. */
const FENCED_GRACE = 5_000

/** Wait between two looks at a flush, in ms. */
const FLUSH_POLL = 20

/** The warehouse sinks of one process: those that run, and those that wait for a warehouse out of reach. */
export class SinkSet {
  private readonly log: Log
  private readonly warehouse: Warehouse | undefined
  private readonly clock: Clock
  private readonly warn: (message: string) => void
  private readonly running = new Map<string, SinkTask>()
  private readonly opening = new Map<string, { readonly sink: SinkTask; attempt?: Attempt<number | undefined> }>()
  private readonly paused = new Set<SinkTask>()
  /** Sinks that were given up, until their last flush has ended. */
  private readonly closing = new Set<Promise<void>>()
  /** Sinks that another process took over, by partition. */
  private readonly fenced = new Map<string, { readonly thrown: MillraceError; readonly since: number }>()

  constructor(
    { log, warehouse, clock, logger }: StreamProcessOptions,
    private readonly consumer: LogConsumer,
    private readonly deadLetters: DeadLetters,
    /** Seconds of the flushes into a table. */
    private readonly flushDuration: (table: string) => Histogram,
    /** Bytes that the rows of all sinks may take (an estimate): half for rows that wait, half for those remembered. */
    private readonly memory: number,
  ) {
    this.log = log
    this.warehouse = warehouse
    this.clock = clock
    this.warn = message => logger.warn(message)
  }

  get(id: string): SinkTask | undefined {
    return this.running.get(id)
  }

  get all(): Iterable<SinkTask> {
    return this.running.values()
  }

  /** Sinks that are written. */
  get open(): number {
    return this.running.size
  }

  /** Sinks that are still to be opened. */
  get waiting(): number {
    return this.opening.size
  }

  /** A dead letter of a sink waits for a commit. */
  get changed(): boolean {
    for (const sink of this.running.values()) if (sink.changed) return true
    return false
  }

  get flushedRows(): number {
    let rows = 0
    for (const sink of this.running.values()) rows += sink.flushedRows
    return rows
  }

  committed(): void {
    for (const sink of this.running.values()) sink.committed()
  }

  /** Notes a newly owned partition; it is read once the warehouse said from where. */
  adopt(program: RowsProgram, partition: number): void {
    const took = this.flushDuration(program.table.name)
    const now = () => this.clock.now()
    const sink = new SinkTask(program, partition, this.warehouse!, this.deadLetters, this.warn, now, took)
    this.opening.set(partitionId({ topic: program.topic, partition }), { sink })
  }

  /** Goes on with opening what waits. The warehouse may take its time; nothing here waits for it. */
  openWaiting(): void {
    for (const [id, opening] of this.opening) {
      const { sink, attempt } = opening
      if (attempt === undefined) {
        if (sink.mayOpen(this.clock.now())) opening.attempt = new Attempt(this.openOne(sink))
      } else if (attempt.settled) {
        delete opening.attempt
        const offset = attempt.result()
        if (offset === undefined) continue
        this.opening.delete(id)
        this.running.set(id, sink)
        this.consumer.assign([{ ...placeOf(sink), offset }])
      }
    }
  }

  private async openOne(sink: SinkTask): Promise<number | undefined> {
    const { low, high } = await this.log.watermarks(placeOf(sink))
    const offset = await sink.open(this.clock.now(), high)
    return offset === undefined ? undefined : Math.max(low, offset)
  }

  /**
   * Starts the flushes that are due, and pauses partitions whose rows pile up.
   * @throws MillraceError WAREHOUSE_FENCED when a sink was taken over and its partition still belongs here.
   */
  async tick(drain = false): Promise<void> {
    const now = this.clock.now()
    for (const { thrown, since } of this.fenced.values()) if (now - since >= FENCED_GRACE) throw thrown
    for (const sink of [...this.running.values()]) {
      const share = this.memory / this.running.size / 2
      sink.rememberedAtMost = share
      if (!(await this.attempt(sink, () => sink.tick(now, drain)))) continue
      const full = sink.heldBytes >= share
      if (full && !this.paused.has(sink)) {
        this.paused.add(sink)
        this.consumer.pause([placeOf(sink)])
      } else if (!full && this.paused.delete(sink)) this.consumer.resume([placeOf(sink)])
    }
  }

  /** Flushes all rows read so far, and waits for it. */
  async flush(): Promise<void> {
    for (;;) {
      await this.tick(true)
      for (const sink of [...this.running.values()]) await this.attempt(sink, () => sink.settled())
      if ([...this.running.values()].every(sink => sink.drained)) return
      await this.clock.sleep(FLUSH_POLL)
    }
  }

  /**
   * Whether the work went through. Where another process took the sink over, this one stops writing it: the group may
   * have given the partition away without this process knowing it yet, which one of the next polls says.
   */
  private async attempt(sink: SinkTask, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (thrown) {
      if (!(thrown instanceof MillraceError) || thrown.code !== 'WAREHOUSE_FENCED') throw thrown
      const id = partitionId(placeOf(sink))
      this.warn(thrown.message)
      this.fenced.set(id, { thrown, since: this.clock.now() })
      this.running.delete(id)
      this.paused.delete(sink)
      this.consumer.pause([placeOf(sink)])
      await sink.close()
      return false
    }
  }

  /** One try to flush all rows read so far; what fails is read again from the rows topic by the next owner. */
  async flushOnce(): Promise<void> {
    for (const sink of this.running.values()) {
      try {
        await sink.tick(this.clock.now(), true)
        await sink.settled()
      } catch (thrown) {
        this.warn(messageOf(thrown))
      }
    }
  }

  /**
   * Gives partitions up, without a flush. One that is under way is not waited for, since a warehouse that does not answer
   * would hold up the group: it comes to its end before the next owner gets hold of the sink, or is fenced.
   */
  async drop(partitions: readonly TopicPartition[]): Promise<void> {
    for (const at of partitions) {
      const id = partitionId(at)
      this.fenced.delete(id)
      const opening = this.opening.get(id)
      const sink = this.running.get(id) ?? opening?.sink
      if (sink === undefined) continue
      sink.giveUp()
      this.running.delete(id)
      this.opening.delete(id)
      this.paused.delete(sink)
      const opened = opening?.attempt?.work.catch(() => undefined)
      const closing = Promise.resolve(opened)
        .then(() => sink.close())
        .catch(thrown => this.warn(messageOf(thrown)))
      this.closing.add(closing)
      closing.then(() => this.closing.delete(closing))
    }
  }

  async close(): Promise<void> {
    await this.drop([...this.running.values(), ...[...this.opening.values()].map(({ sink }) => sink)].map(placeOf))
    await Promise.all(this.closing)
  }
}

function placeOf(sink: SinkTask): TopicPartition {
  return { topic: sink.program.topic, partition: sink.partition }
}
