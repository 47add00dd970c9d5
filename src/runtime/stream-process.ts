import { join } from 'node:path'
import { MillraceError, messageOf } from '../model/errors.js'
import { type PartitionOffset, partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import { type Log, type LogConsumer, LogError, type LogProducer, type Polled } from '../ports/log.js'
import type { AvroSerde } from '../ports/serde.js'
import type { StoreEngine, StoreWrite } from '../ports/store.js'
import type { Warehouse } from '../ports/warehouse.js'
import type { Topology } from '../topology/node.js'
import { type Accounting, addAccounting, noAccounting } from './accounting.js'
import { compileTopology, type TopologyProgram } from './compile-topology.js'
import { DeadLetters } from './dead-letters.js'
import { prepareTopics } from './prepare-topics.js'
import { checkMeaning, type Progress, readProgress, sendCatalogueEntry, sendTaskProgress } from './progress.js'
import type { RepartitionWriter } from './repartition-writer.js'
import { SinkSet } from './sink-set.js'
import type { SubTopologyProgram } from './sub-topology-program.js'
import type { Task } from './task.js'
import { TaskSet } from './task-set.js'

export type Guarantee = 'exactly_once' | 'at_least_once'

/** Where the process says what happens. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
}

/** What a stream process is made of. */
export interface StreamProcessOptions {
  readonly topology: Topology
  readonly namespace?: string
  readonly log: Log
  readonly serde: AvroSerde
  readonly stores: StoreEngine
  /** Folder of the stores. */
  readonly stateDirectory: string
  /** Needed where the topology has `to(warehouse(...))`. */
  readonly warehouse?: Warehouse
  readonly clock: Clock
  /** Default `exactly_once`. */
  readonly guarantee?: Guarantee
  /** Longest time between commits, in ms; default 200. */
  readonly commitInterval?: number
  /** Names this process among those of its group; stable over restarts, so that a successor fences it. */
  readonly instanceId: string
  readonly logger: Logger
}

/** Figures of the tasks of a process. */
export interface ProcessStatus {
  readonly accounting: Accounting
  /** Records in source topics that were not read yet. */
  readonly lag: number
  readonly openWindows: number
  readonly flushedRows: number
  /** Records that arrived after their window closed, because their lane had been idle. */
  readonly lateAfterIdle: number
}

const COMMIT_INTERVAL = 200
const POLL_RECORDS = 10_000

/** Longest wait for records, in ms, so that commits, idle lanes and flushes are looked at. */
const POLL_AT_MOST = 100

/** Partials and changed windows in memory from which on a commit is due at once. */
const HELD_AT_MOST = 200_000

/** Polls in a row without anything to do after which the embedded log is taken to be read to its end. */
const QUIET_POLLS = 3

/**
 * One stream process: a member of the topology's consumer group that runs the tasks of its partitions in one loop, and
 * commits them together in one transaction (DESIGN section 5).
 */
export class StreamProcess {
  private readonly tasks: TaskSet
  private readonly sinks: SinkSet
  private readonly writers: readonly RepartitionWriter[]
  private readonly commitInterval: number
  private readonly exactlyOnce: boolean
  private lastCommit: number
  private inTransaction = false
  private quiet = 0
  /** Owned partitions whose tasks were dropped by a failed transaction, to be opened again. */
  private dropped: Owned[] = []
  private closed = false

  private constructor(
    private readonly options: StreamProcessOptions,
    private readonly consumer: LogConsumer,
    private readonly producer: LogProducer,
    private readonly program: TopologyProgram,
    private progress: Progress,
  ) {
    const { topology, log, clock, logger, stores, stateDirectory } = options
    const { plan, subs } = program
    const warn = (message: string): void => logger.warn(message)
    const letters = plan.partitions.get(plan.deadLetters) as number
    const deadLetters = new DeadLetters(topology.options.onError, plan.deadLetters, letters, producer)
    this.tasks = new TaskSet(
      log,
      stores,
      join(stateDirectory, plan.group),
      {
        deadLetters,
        idleAfter: topology.options.idleAfter,
        maxAhead: topology.options.maxAhead,
        now: () => clock.now(),
        warn,
        schemaOf: fingerprint => this.progress.catalogue.get(fingerprint)?.schema,
      },
      clock,
    )
    this.sinks = new SinkSet(log, consumer, options.warehouse, deadLetters, clock, warn)
    this.writers = subs.flatMap(sub => (sub.kind === 'processing' ? sub.writers : []))
    this.commitInterval = options.commitInterval ?? COMMIT_INTERVAL
    this.exactlyOnce = options.guarantee !== 'at_least_once'
    this.lastCommit = clock.now()
  }

  /**
   * Prepares the topics, compiles the topology and joins the group.
   * @throws MillraceError MISSING_TOPIC, TOPIC_MISMATCH, STATE_INCOMPATIBLE, INVALID_OPTION
   */
  static async start(options: StreamProcessOptions): Promise<StreamProcess> {
    const { topology, log, serde, clock, instanceId } = options
    const { plan, topics } = await prepareTopics(log, topology, options.namespace)
    if (options.warehouse === undefined && topology.outputs.some(node => node.kind === 'to-warehouse')) {
      throw new MillraceError(
        'INVALID_OPTION',
        `Topology "${topology.name}" writes to a warehouse, and none is given. Pass --warehouse postgres://….`,
      )
    }
    const progress = await readProgress(log, plan.progress)
    const transactionalId = `${plan.group}-${instanceId}`
    const producer = await log.producer(options.guarantee === 'at_least_once' ? {} : { transactionalId })
    let process: StreamProcess | undefined
    const program = await compileTopology(topology, plan, {
      serde,
      producer,
      now: () => clock.now(),
      topics,
      schemaOf: fingerprint => process?.progress.catalogue.get(fingerprint),
    })
    for (const entry of program.catalogue.values()) checkMeaning(entry, progress.catalogue.values())
    const consumer = await log.consumer({ group: plan.group, instanceId })
    process = new StreamProcess(options, consumer, producer, program, progress)
    consumer.subscribe(program.subs.map(sub => sub.topic))
    return process
  }

  /** Runs until `signal` aborts, then commits, flushes and closes. */
  async run(signal: AbortSignal): Promise<void> {
    const timeout = Math.max(1, Math.min(POLL_AT_MOST, this.commitInterval))
    while (!signal.aborted) await this.step(timeout)
    await this.close()
  }

  /** One turn of the loop: polls for up to `timeoutMs`, processes what came, and commits when that is due. */
  async step(timeoutMs: number): Promise<void> {
    await this.sinks.open()
    const polled = await this.consumer.poll(POLL_RECORDS, timeoutMs)
    const restored = await this.rebalance(polled)
    await this.attempt(async () => {
      await this.dispatch(polled, restored)
      if (this.commitDue(this.options.clock.now())) await this.commit()
    })
    const busy = polled.batches.length > 0 || polled.assigned.length > 0
    this.quiet = busy || this.hasWork(this.options.clock.now()) ? 0 : this.quiet + 1
    await this.sinks.tick()
  }

  /** Runs a part of a transaction. When that has to be aborted, everything since the last commit is given up. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      if (!(thrown instanceof LogError) || thrown.action !== 'abort') throw thrown
      this.options.logger.warn(`A transaction failed and is tried again from the last commit: ${messageOf(thrown)}`)
      await this.giveUp()
    }
  }

  /** Hands out what was polled. Sinks come first: they are no part of a transaction that may fail. */
  private async dispatch({ batches, ends }: Polled, restored: ReadonlySet<string>): Promise<void> {
    const now = this.options.clock.now()
    for (const batch of batches) this.sinks.get(partitionId(batch))?.process(batch, now)
    if (batches.length > 0) await this.begin()
    const taskOf = (at: TopicPartition): Task | undefined =>
      restored.has(partitionId(at)) ? undefined : this.tasks.get(partitionId(at))
    for (const batch of batches) await taskOf(batch)?.process(batch)
    for (const end of ends) taskOf(end)?.reachedEnd()
  }

  private async begin(): Promise<void> {
    if (!this.exactlyOnce || this.inTransaction) return
    await this.producer.begin()
    this.inTransaction = true
  }

  private commitDue(now: number): boolean {
    let held = 0
    for (const writer of this.writers) held += writer.held
    for (const task of this.tasks.all) held += task.held
    return held >= HELD_AT_MOST || (now - this.lastCommit >= this.commitInterval && this.hasWork(now))
  }

  /** Whether there is anything to commit: records, dead letters, a marker, or windows that the wall clock closes. */
  private hasWork(now: number): boolean {
    return (
      this.tasks.changed ||
      this.sinks.changed ||
      this.writers.some(writer => writer.markers.due(now)) ||
      this.tasks.all.some(task => task.idleCloseDue(now))
    )
  }

  /**
   * Commits all tasks together, in the order of DESIGN section 5. Stores of tasks that are given up next note how much
   * of their changelogs they hold; that is looked up first, since the commit proves that nobody else wrote before it.
   */
  private async commit(leaving: readonly Task[] = []): Promise<void> {
    const now = this.options.clock.now()
    for (const task of leaving) await this.tasks.notePosition(task, true)
    const tasks = this.tasks.all
    await this.begin()
    for (const task of tasks) await task.closeIdle(now)
    for (const task of tasks) task.emitUpdates()
    for (const sink of this.sinks.all) sink.sendDeadLetters()
    const writes = this.sendChangelogs(tasks, now)
    for (const writer of this.writers) writer.flush(now)
    if (!this.exactlyOnce) await this.producer.flush()
    this.sendProgress(tasks, now)
    const offsets = tasks.map(({ program, partition, nextOffset }) => ({
      topic: program.topic,
      partition,
      offset: nextOffset,
    }))
    if (this.exactlyOnce) {
      if (offsets.length > 0) await this.producer.sendOffsets(offsets, this.consumer)
      await this.producer.commit()
      this.inTransaction = false
    } else await this.producer.flush()
    for (const [fingerprint, entry] of this.program.catalogue) this.progress.catalogue.set(fingerprint, entry)
    for (const [task, changes] of writes) await this.tasks.write(task, changes, this.exactlyOnce)
    if (!this.exactlyOnce && offsets.length > 0) await this.consumer.commit(offsets)
    for (const task of leaving) await this.tasks.write(task, [], true)
    for (const task of tasks) task.committed()
    this.sinks.committed()
    this.lastCommit = this.options.clock.now()
    for (const task of writes.keys()) if (!leaving.includes(task)) await this.tasks.notePosition(task)
  }

  private sendChangelogs(tasks: readonly Task[], now: number): Map<Task, StoreWrite[]> {
    const writes = new Map<Task, StoreWrite[]>()
    for (const task of tasks) {
      const changes = task.changes(({ changelog }, key, value) => {
        this.producer.send(changelog, task.partition, key, value, now)
      })
      if (changes.length > 0) writes.set(task, changes)
    }
    return writes
  }

  private sendProgress(tasks: readonly Task[], now: number): void {
    const { plan, catalogue } = this.program
    for (const [fingerprint, entry] of catalogue) {
      if (this.progress.catalogue.has(fingerprint)) continue
      sendCatalogueEntry(this.producer, plan.progress, fingerprint, entry, now)
    }
    for (const task of tasks) {
      if (task.changed) sendTaskProgress(this.producer, plan.progress, task.name, task.progress(), now)
    }
  }

  /**
   * Gives up and takes over partitions. The answer is which tasks were restored: what was polled for them lies behind
   * the place where they read on.
   */
  private async rebalance({ lost, revoked, assigned }: Polled): Promise<ReadonlySet<string>> {
    if (lost.length > 0) await this.giveUp()
    if (revoked.length > 0 && this.tasks.all.length > 0) {
      const leaving = revoked.map(at => this.tasks.get(partitionId(at))).filter(task => task !== undefined)
      await this.attempt(() => this.commit(leaving))
    }
    await this.release([...lost, ...revoked])
    if (assigned.length > 0) await this.adopt(assigned)
    if (this.dropped.length === 0) return new Set()
    const positions = await this.openTasks(this.dropped)
    this.dropped = []
    for (const position of positions) await this.consumer.seek(position)
    return new Set(positions.map(partitionId))
  }

  private async release(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const ids = new Set(partitions.map(partitionId))
    this.dropped = this.dropped.filter(({ at }) => !ids.has(partitionId(at)))
    await this.tasks.drop(partitions)
    await this.sinks.drop(partitions)
    this.consumer.release(partitions)
  }

  /** Makes the tasks of newly owned partitions. */
  private async adopt(partitions: readonly TopicPartition[]): Promise<void> {
    const processing: Owned[] = []
    for (const at of partitions) {
      const program = this.program.subs.find(sub => sub.topic === at.topic)
      if (program?.kind === 'processing') processing.push({ program, at })
      else if (program?.kind === 'rows') this.sinks.adopt(program, at.partition)
    }
    if (processing.length > 0) this.consumer.assign(await this.openTasks(processing))
  }

  /**
   * Aborts the transaction and drops all tasks with what they hold. Those that are still owned after the next poll are
   * restored from the last commit: a process whose transaction failed may have lost its partitions without knowing it.
   */
  private async giveUp(): Promise<void> {
    if (this.inTransaction) await this.producer.abort()
    this.inTransaction = false
    for (const writer of this.writers) writer.clear()
    for (const { program, partition } of this.tasks.all) {
      this.dropped.push({ program, at: { topic: program.topic, partition } })
    }
    await this.tasks.close()
  }

  /** Opens tasks and answers where they read on. */
  private async openTasks(owned: readonly Owned[]): Promise<PartitionOffset[]> {
    const { log, clock, logger } = this.options
    const started = clock.now()
    const committed = await this.consumer.committed(owned.map(({ at }) => at))
    this.progress = await readProgress(log, this.program.plan.progress)
    const positions: PartitionOffset[] = []
    let records = 0
    for (const { program, at } of owned) {
      const { task, restored } = await this.tasks.open(program, at.partition)
      records += restored
      const progress = this.progress.tasks.get(task.name)
      if (progress) task.restore(progress)
      const from = this.startOffset(at, committed.get(partitionId(at)), progress?.nextOffset)
      task.nextOffset = from ?? (await log.watermarks(at)).low
      for (const writer of program.writers) writer.markers.add(task)
      positions.push({ ...at, offset: task.nextOffset })
    }
    const names = owned.map(({ at }) => partitionId(at)).join(', ')
    logger.info(`Running ${names}; restored ${records} changelog records in ${clock.now() - started} ms.`)
    return positions
  }

  /**
   * Where a task reads on. Under exactly-once the committed offset and the progress record stem from one transaction.
   * At least once, progress is written when all that it stands for is acknowledged, so it is never ahead of the data.
   * @throws MillraceError PROGRESS_MISMATCH
   */
  private startOffset(
    at: TopicPartition,
    committed: number | undefined,
    progress: number | undefined,
  ): number | undefined {
    if (!this.exactlyOnce) return progress ?? committed
    if (committed === undefined || committed === progress) return progress
    throw new MillraceError(
      'PROGRESS_MISMATCH',
      `The group's committed offset of ${partitionId(at)} is ${committed}, but ${this.program.plan.progress} says ${progress ?? 'nothing'}. Offsets were changed from outside, or a topic was deleted. Put the offset back, or start under another name or namespace.`,
    )
  }

  /**
   * Steps until nothing is left to read, commit or flush: for the end of a demo or a test on the embedded log, where
   * a poll that finds nothing means that there is nothing.
   */
  async settle(): Promise<void> {
    this.quiet = 0
    while (this.quiet < QUIET_POLLS || this.sinks.waiting || this.dropped.length > 0) {
      await this.step(this.sinks.waiting ? POLL_AT_MOST : 0)
      if (this.hasWork(this.options.clock.now())) {
        await this.attempt(() => this.commit())
        this.quiet = 0
      }
    }
    await this.sinks.flush()
  }

  /** Figures of the tasks of this process. */
  async status(): Promise<ProcessStatus> {
    const accounting = noAccounting()
    let lag = 0
    let openWindows = 0
    let lateAfterIdle = 0
    for (const task of this.tasks.all) {
      addAccounting(accounting, task.accounting)
      openWindows += task.openWindows
      lateAfterIdle += task.lateAfterIdle
      if (task.program.input.kind !== 'source') continue
      const { high } = await this.options.log.watermarks({ topic: task.program.topic, partition: task.partition })
      lag += Math.max(0, high - task.nextOffset)
    }
    return { accounting, lag, openWindows, flushedRows: this.sinks.flushedRows, lateAfterIdle }
  }

  /** The tasks that run here, for queries. */
  get runningTasks(): readonly Task[] {
    return this.tasks.all
  }

  /** Commits, flushes, closes stores and sinks, and leaves the group. */
  async close(): Promise<void> {
    if (this.closed) return
    if (this.tasks.all.length > 0 || this.inTransaction) await this.attempt(() => this.commit(this.tasks.all))
    await this.sinks.flushOnce()
    await this.leave()
  }

  /** Stops as after a fault: what was not committed is given up. */
  async kill(): Promise<void> {
    if (this.closed) return
    // A producer that was fenced cannot abort, and has nothing to abort.
    if (this.inTransaction) await this.producer.abort().catch(() => undefined)
    await this.leave()
  }

  private async leave(): Promise<void> {
    this.closed = true
    await this.sinks.close()
    await this.tasks.close()
    await this.consumer.close()
    await this.producer.close()
  }
}

/** A partition of this process and what runs on it. */
interface Owned {
  readonly program: SubTopologyProgram
  readonly at: TopicPartition
}
