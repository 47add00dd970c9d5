import { MillraceError, messageOf } from '../model/errors.js'
import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { Log, LogReader } from '../ports/log.js'
import type { Histogram } from '../ports/metrics.js'
import type { Warehouse } from '../ports/warehouse.js'
import { Attempt } from './attempt.js'
import type { DeadLetters } from './dead-letters.js'
import type { SessionTurns } from './session-turns.js'
import { SinkTask } from './sink-task.js'
import type { StreamProcessOptions } from './stream-process-options.js'
import type { RowsProgram } from './sub-topology-program.js'
import type { WarehousePermits } from './warehouse-permits.js'

/** How long a sink that another process took over is left alone while its permit is still held here, in ms. */
const LEAVE_ALONE_AT_LEAST = 5_000
const LEAVE_ALONE_AT_MOST = 60_000

/** Wait between two looks at a flush, in ms. */
const FLUSH_POLL = 20

interface Opening {
  readonly sink: SinkTask
  attempt?: Attempt<number | undefined>
}

interface Fenced {
  readonly program: RowsProgram
  readonly partition: number
  readonly until: number
  readonly times: number
}

/**
 * The warehouse sinks of one process: those of the tables whose permits it holds. They run, or wait for a warehouse out of
 * reach. It reads their rows itself, since permits and not the topology's group say whose they are.
 */
export class SinkSet {
  private readonly log: Log
  private readonly warehouse: Warehouse | undefined
  private readonly clock: Clock
  private readonly warn: (message: string) => void
  private readonly running = new Map<string, SinkTask>()
  private readonly opening = new Map<string, Opening>()
  private readonly paused = new Set<SinkTask>()
  /** Sinks that were given up, until their last flush has ended. */
  private readonly closing = new Set<Promise<void>>()
  /** Sinks that another process took over though their permits are held here, by partition. */
  private readonly fenced = new Map<string, Fenced>()
  /** The session by which each rows topic that is this process' is written. */
  private readonly owned = new Map<string, SessionTurns>()
  private permitsSeen = -1
  private connecting: Promise<LogReader> | undefined
  private reader: LogReader | undefined
  /** The last poll brought rows. */
  busy = false

  constructor(
    { log, warehouse, clock, logger }: StreamProcessOptions,
    private readonly programs: readonly RowsProgram[],
    /** Absent where nothing goes to a warehouse. */
    private readonly permits: WarehousePermits | undefined,
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

  get all(): Iterable<SinkTask> {
    return this.running.values()
  }

  /** Of each permit that is held, how many times longer than wanted its intervals are. */
  get pressures(): readonly (readonly [permit: number, factor: number])[] {
    const now = this.clock.now()
    return (this.permits?.all ?? []).map(([permit, { pressure }]) => [permit, pressure.factor(now)])
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

  /** Takes over and gives up tables as permits come and go, and reads rows. */
  async poll(maxRecords: number): Promise<void> {
    await this.permits?.step()
    this.followPermits()
    const { batches, ends } = (await this.reader?.poll(maxRecords, 0)) ?? { batches: [], ends: [] }
    const now = this.clock.now()
    for (const batch of batches) this.running.get(partitionId(batch))?.process(batch, now)
    for (const end of ends) this.running.get(partitionId(end))?.reachedEnd(end.offset)
    this.busy = batches.length > 0
  }

  private followPermits(): void {
    if (this.permits === undefined || this.permits.version === this.permitsSeen) return
    this.permitsSeen = this.permits.version
    for (const program of this.programs) {
      const { topic, partitions } = program
      const turns = this.permits.turnsOf(topic)
      if (this.owned.get(topic) === turns) continue
      for (let partition = 0; partition < partitions; partition++) {
        this.drop({ topic, partition })
        if (turns) this.adopt(program, partition, turns)
      }
      if (turns) this.owned.set(topic, turns)
      else this.owned.delete(topic)
    }
  }

  /** It is read once the warehouse said from where. */
  private adopt(program: RowsProgram, partition: number, turns: SessionTurns): void {
    const took = this.flushDuration(program.table.name)
    const now = () => this.clock.now()
    const sink = new SinkTask(program, partition, this.warehouse!, turns, this.deadLetters, this.warn, now, took)
    this.opening.set(partitionId({ topic: program.topic, partition }), { sink })
  }

  /** Goes on with opening what waits. The warehouse may take its time; nothing here waits for it. */
  openWaiting(): void {
    const now = this.clock.now()
    for (const [id, { program, partition, until }] of this.fenced) {
      const turns = this.owned.get(program.topic)
      const known = this.running.has(id) || this.opening.has(id)
      if (turns !== undefined && !known && now >= until) this.adopt(program, partition, turns)
    }
    for (const [id, opening] of this.opening) {
      const { sink, attempt } = opening
      if (attempt === undefined) {
        if (sink.mayOpen(now)) opening.attempt = new Attempt(this.openOne(sink))
      } else if (attempt.settled) {
        delete opening.attempt
        const offset = attempt.result()
        if (offset === undefined) continue
        this.opening.delete(id)
        this.running.set(id, sink)
        this.reader?.assign([{ ...placeOf(sink), offset }])
      }
    }
  }

  private async openOne(sink: SinkTask): Promise<number | undefined> {
    this.connecting ??= this.log.reader()
    this.reader = await this.connecting
    const { low, high } = await this.log.watermarks(placeOf(sink))
    const offset = await sink.open(this.clock.now(), high)
    return offset === undefined ? undefined : Math.max(low, offset)
  }

  /** Starts the flushes that are due, and pauses partitions whose rows pile up. */
  async tick(drain = false): Promise<void> {
    const now = this.clock.now()
    for (const sink of [...this.running.values()]) {
      const share = this.memory / this.running.size / 2
      sink.rememberedAtMost = share
      if (!(await this.attempt(sink, () => sink.tick(now, drain)))) continue
      const full = sink.heldBytes >= share
      if (full && !this.paused.has(sink)) {
        this.paused.add(sink)
        this.reader?.pause([placeOf(sink)])
      } else if (!full && this.paused.delete(sink)) this.reader?.resume([placeOf(sink)])
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
   * Whether the work went through. Where another process took the sink over, this one stops writing it: it may have lost
   * its permit without knowing it yet, which one of the next polls says. If it has not, workers of another set of
   * topologies write the same table, as while a deployment changes that set; it tries again after a while.
   */
  private async attempt(sink: SinkTask, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (thrown) {
      if (!(thrown instanceof MillraceError) || thrown.code !== 'WAREHOUSE_FENCED') throw thrown
      this.warn(thrown.message)
      const { program, partition } = sink
      const id = partitionId(placeOf(sink))
      const times = this.fenced.get(id)?.times ?? 0
      this.drop(placeOf(sink))
      const pause = Math.min(LEAVE_ALONE_AT_MOST, LEAVE_ALONE_AT_LEAST * 2 ** times)
      this.fenced.set(id, { program, partition, until: this.clock.now() + pause, times: times + 1 })
      return false
    }
  }

  /** One try to flush all rows read so far; what fails is read again from the rows topic by the next owner. */
  async flushOnce(): Promise<void> {
    const now = this.clock.now()
    const flushes = [...this.running.values()].map(async sink => {
      await sink.tick(now, true)
      await sink.settled()
    })
    for (const flush of await Promise.allSettled(flushes)) {
      if (flush.status === 'rejected') this.warn(messageOf(flush.reason))
    }
  }

  /**
   * Gives a partition up, without a flush. One that is under way is not waited for, since a warehouse that does not answer
   * would hold up the loop: the permit is let go after its end, or the next owner fences it.
   */
  private drop(at: TopicPartition): void {
    const id = partitionId(at)
    this.fenced.delete(id)
    const opening = this.opening.get(id)
    const sink = this.running.get(id) ?? opening?.sink
    if (sink === undefined) return
    sink.giveUp()
    if (this.running.delete(id)) this.reader?.release([at])
    this.opening.delete(id)
    this.paused.delete(sink)
    const opened = opening?.attempt?.work.catch(() => undefined)
    const closing = Promise.resolve(opened)
      .then(() => sink.close())
      .catch(thrown => this.warn(messageOf(thrown)))
    this.closing.add(closing)
    closing.then(() => this.closing.delete(closing))
  }

  async close(): Promise<void> {
    const opening = [...this.opening.values()].map(({ sink }) => sink)
    for (const sink of [...this.running.values(), ...opening]) this.drop(placeOf(sink))
    await Promise.all(this.closing)
    const reader = await this.connecting?.catch(() => undefined)
    await reader?.close()
  }
}

function placeOf(sink: SinkTask): TopicPartition {
  return { topic: sink.program.topic, partition: sink.partition }
}
