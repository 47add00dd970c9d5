import { join } from 'node:path'
import { messageOf } from '../model/errors.js'
import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import { type LogConsumer, LogError, type LogProducer, type Polled } from '../ports/log.js'
import type { TopologyProgram } from './compile-topology.js'
import { DeadLetters } from './dead-letters.js'
import { DEFAULT_MEMORY, type ProcessMemory } from './memory-plan.js'
import type { ProcessHealth } from './process-health.js'
import type { ProcessMetrics } from './process-metrics.js'
import { openParts } from './process-parts.js'
import { type ProcessStatus, statusOf } from './process-status.js'
import type { CatalogueEntry } from './progress.js'
import type { RepartitionWriter } from './repartition-writer.js'
import { type Owned, RestorationSet, type RestoreProgress } from './restoration-set.js'
import { SchemaWaits } from './schema-waits.js'
import { SinkSet } from './sink-set.js'
import type { StreamProcessOptions } from './stream-process-options.js'
import type { Task } from './task.js'
import { taskEnvironment } from './task-environment.js'
import { TaskSet } from './task-set.js'
import { Transaction, writersOf } from './transaction.js'
import type { WarehousePermits } from './warehouse-permits.js'

const COMMIT_INTERVAL = 200
const POLL_RECORDS = 10_000
/** Longest wait for records, in ms, so that commits, idle lanes and flushes are looked at. */
const POLL_AT_MOST = 100
/** Longest wait for records, in ms, while the log or the schema registry is to answer. */
const LOOK_AGAIN = 10
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
  private readonly memory: ProcessMemory
  private readonly transaction: Transaction
  private lastCommit: number
  private polledAt: number
  private uncommittedSince: number | undefined
  private quiet = 0
  private readonly restorations: RestorationSet
  private readonly waits: SchemaWaits
  /** Owned partitions whose tasks were dropped by a failed transaction, to be restored after the next poll. */
  private dropped: Owned[] = []
  private closed = false

  private constructor(
    private readonly options: StreamProcessOptions,
    private readonly consumer: LogConsumer,
    private readonly producer: LogProducer,
    private readonly program: TopologyProgram,
    private readonly catalogue: Map<string, CatalogueEntry>,
    private readonly metrics: ProcessMetrics,
    private readonly permits: WarehousePermits | undefined,
  ) {
    const { topology, log, clock, stores, stateDirectory, memory = DEFAULT_MEMORY } = options
    this.memory = memory
    const { plan } = program
    const letters = plan.partitions.get(plan.deadLetters) as number
    const deadLetters = new DeadLetters(topology.options.onError, plan.deadLetters, letters, producer)
    const environment = taskEnvironment(options, deadLetters, catalogue, metrics.lateness, () => this.polledAt)
    this.tasks = new TaskSet(log, stores, join(stateDirectory, plan.group), environment, clock, memory)
    const rows = program.subs.filter(sub => sub.kind === 'rows')
    this.sinks = new SinkSet(options, rows, permits, deadLetters, metrics.flushDuration, memory.sinkBytes)
    this.writers = writersOf(program)
    this.waits = new SchemaWaits(consumer, clock, environment.warn)
    const { tasks, sinks, writers } = this
    metrics.measure({ tasks, sinks, writers, deadLetters, process: this })
    this.commitInterval = options.commitInterval ?? COMMIT_INTERVAL
    this.restorations = new RestorationSet(options, consumer, tasks, plan.progress, catalogue)
    const exactlyOnce = options.guarantee !== 'at_least_once'
    this.transaction = new Transaction(producer, consumer, tasks, sinks, program, clock, exactlyOnce, memory.cacheBytes)
    this.lastCommit = clock.now()
    this.polledAt = this.lastCommit
  }

  /**
   * Prepares the topics, compiles the topology and joins the group.
   * @throws MillraceError MISSING_TOPIC, TOPIC_MISMATCH, STATE_INCOMPATIBLE, INVALID_OPTION
   */
  static async start(options: StreamProcessOptions): Promise<StreamProcess> {
    const { consumer, producer, program, catalogue, metrics, permits } = await openParts(options)
    consumer.subscribe(program.subs.filter(sub => sub.kind === 'processing').map(sub => sub.topic))
    return new StreamProcess(options, consumer, producer, program, catalogue, metrics, permits)
  }

  /** Runs until `signal` aborts, then commits, flushes and closes. */
  async run(signal: AbortSignal): Promise<void> {
    const timeout = Math.max(1, Math.min(POLL_AT_MOST, this.commitInterval))
    while (!signal.aborted) await this.step(timeout)
    await this.close()
  }

  /** One turn of the loop: polls for up to `timeoutMs`, processes what came, and commits when that is due. */
  async step(timeoutMs: number): Promise<void> {
    this.polledAt = this.options.clock.now()
    const polled = await this.consumer.poll(POLL_RECORDS, this.pollTime(timeoutMs))
    this.metrics.polled(polled)
    await this.rebalance(polled)
    // Sinks come first: they are no part of a transaction that may fail.
    await this.sinks.poll(POLL_RECORDS)
    await this.attempt(async () => {
      await this.dispatch(polled)
      if (this.commitDue(this.options.clock.now())) await this.commit()
    })
    // Only now: before the poll a task or sink could belong to somebody else, and a batch of the poll is not for it.
    await this.restorations.advance()
    this.sinks.openWaiting()
    const now = this.options.clock.now()
    const work = this.hasWork(now)
    this.uncommittedSince = work ? (this.uncommittedSince ?? now) : undefined
    const busy = polled.batches.length > 0 || polled.assigned.length > 0 || this.sinks.busy
    this.quiet = busy || work ? 0 : this.quiet + 1
    await this.sinks.tick()
  }

  /** How long to wait for records while something else is under way. */
  private pollTime(timeoutMs: number): number {
    if (this.restorations.ready || this.sinks.busy) return 0
    return this.waits.size + this.restorations.size > 0 ? Math.min(timeoutMs, LOOK_AGAIN) : timeoutMs
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

  /** Hands out what was polled. */
  private async dispatch({ batches, ends }: Polled): Promise<void> {
    const { tasks, waits } = this
    if (batches.length > 0 || waits.ready) await this.transaction.begin()
    await waits.advance()
    for (const batch of batches) {
      if (waits.keep(batch)) continue
      const task = tasks.get(partitionId(batch))
      const rest = await task?.process(batch)
      if (task && rest) await waits.add(task, rest)
    }
    for (const end of ends) if (!waits.reachedEnd(end)) tasks.get(partitionId(end))?.reachedEnd()
  }

  private commitDue(now: number): boolean {
    let held = 0
    for (const writer of this.writers) held += writer.heldBytes
    for (const task of this.tasks.all) held += task.heldBytes
    return held >= this.memory.heldBytes || (now - this.lastCommit >= this.commitInterval && this.hasWork(now))
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

  private async commit(leaving: readonly Task[] = []): Promise<void> {
    const startedAt = this.options.clock.now()
    await this.transaction.commit(leaving, this.catalogue)
    this.lastCommit = this.options.clock.now()
    this.metrics.committed(startedAt)
    this.uncommittedSince = undefined
  }

  /** Gives up and takes over partitions. */
  private async rebalance({ lost, revoked, assigned }: Polled): Promise<void> {
    if (lost.length > 0) await this.giveUp()
    if (revoked.length > 0 && this.tasks.all.length > 0) {
      const leaving = revoked.map(at => this.tasks.get(partitionId(at))).filter(task => task !== undefined)
      await this.attempt(() => this.commit(leaving))
    }
    await this.release([...lost, ...revoked])
    this.adopt(assigned)
    this.restorations.add(this.dropped.splice(0))
  }

  private async release(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const ids = new Set(partitions.map(partitionId))
    this.dropped = this.dropped.filter(({ at }) => !ids.has(partitionId(at)))
    this.waits.drop(partitions)
    await this.restorations.drop(partitions)
    await this.tasks.drop(partitions)
    this.consumer.release(partitions)
  }

  /** Begins to make the tasks of newly owned partitions. */
  private adopt(partitions: readonly TopicPartition[]): void {
    const processing: Owned[] = []
    for (const at of partitions) {
      const program = this.program.subs.find(sub => sub.topic === at.topic)
      if (program?.kind === 'processing') processing.push({ program, at, wasRunning: false })
    }
    this.restorations.add(processing)
  }

  /**
   * Aborts the transaction and drops all tasks with what they hold. Those that are still owned after the next poll are
   * restored from the last commit: a process whose transaction failed may have lost its partitions without knowing it.
   */
  private async giveUp(): Promise<void> {
    await this.transaction.abort()
    this.metrics.gaveUp()
    this.waits.clear()
    for (const { program, partition } of this.tasks.all) {
      this.dropped.push({ program, at: { topic: program.topic, partition }, wasRunning: true })
    }
    await this.tasks.close()
  }

  /** Steps until nothing is left to do: on the embedded log, where a poll that finds nothing means that there is nothing. */
  async settle(): Promise<void> {
    this.quiet = 0
    while (this.quiet < QUIET_POLLS || this.sinks.waiting > 0 || this.restoring > 0 || this.waits.size > 0) {
      await this.step(this.sinks.waiting > 0 ? POLL_AT_MOST : 0)
      if (this.hasWork(this.options.clock.now())) {
        await this.attempt(() => this.commit())
        this.quiet = 0
      }
    }
    await this.sinks.flush()
  }

  /** Tasks that do not run yet. */
  private get restoring(): number {
    return this.dropped.length + this.restorations.size
  }

  /** How far restoring is, for metrics. */
  get restoreProgress(): RestoreProgress {
    return this.restorations.progress
  }

  /** Figures of the tasks of this process. */
  status(): Promise<ProcessStatus> {
    return statusOf(this.tasks.all, this.sinks.flushedRows, this.options.log)
  }

  /** How this process is. Cheap, and to be called at any time. */
  health(): ProcessHealth {
    const { uncommittedSince, tasks, sinks, waits } = this
    return {
      turnedAt: this.polledAt,
      ...(uncommittedSince !== undefined && { uncommittedSince }),
      joined: this.consumer.joined,
      running: tasks.all.length,
      restoring: this.restoring,
      sinksOpen: sinks.open,
      sinksWaiting: sinks.waiting,
      ...(waits.reason !== undefined && { waitingFor: waits.reason }),
    }
  }

  /** The tasks that run here, for queries. */
  get runningTasks(): readonly Task[] {
    return this.tasks.all
  }

  /** Commits, flushes, closes stores and sinks, and leaves the group. */
  async close(): Promise<void> {
    if (this.closed) return
    if (this.tasks.all.length > 0 || this.transaction.isOpen) await this.attempt(() => this.commit(this.tasks.all))
    await this.sinks.flushOnce()
    await this.leave()
  }

  /** Stops as after a fault: what was not committed is given up. */
  async kill(): Promise<void> {
    if (this.closed) return
    await this.transaction.abort().catch(() => undefined)
    await this.leave()
  }

  private async leave(): Promise<void> {
    this.closed = true
    await this.metrics.close()
    await this.restorations.close()
    await this.sinks.close()
    if (this.options.permits === undefined) await this.permits?.close()
    await this.tasks.close()
    await this.consumer.close()
    await this.producer.close()
  }
}
