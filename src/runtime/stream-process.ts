import { join } from 'node:path'
import { MillraceError, messageOf } from '../model/errors.js'
import { type PartitionOffset, partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import { type Log, type LogConsumer, LogError, type LogProducer, type Polled } from '../ports/log.js'
import type { AvroSerde } from '../ports/serde.js'
import type { Store, StoreEngine, StoreWrite } from '../ports/store.js'
import type { Warehouse } from '../ports/warehouse.js'
import type { Topology } from '../topology/node.js'
import { type Accounting, addAccounting, noAccounting } from './accounting.js'
import { positionWrite, readPosition, restoreTable } from './changelog.js'
import { compileTopology, planTopics, type TopologyProgram } from './compile-topology.js'
import { DeadLetters } from './dead-letters.js'
import { prepareTopics } from './prepare-topics.js'
import { checkMeaning, type Progress, readProgress, sendCatalogueEntry, sendTaskProgress } from './progress.js'
import { RepartitionTask } from './repartition-task.js'
import { SinkTask } from './sink-task.js'
import { SourceTask } from './source-task.js'
import type { RowsProgram, SubTopologyProgram } from './sub-topology-program.js'
import type { Task } from './task.js'
import type { TaskEnvironment } from './task-environment.js'

export type Guarantee = 'exactly_once' | 'at_least_once'

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

/** Where the process says what happens. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
}

/** Figures of a process, as of its last commit. */
export interface ProcessStatus {
  readonly accounting: Accounting
  /** Records in source topics that were not read yet. */
  readonly lag: number
  readonly openWindows: number
  readonly flushedRows: number
  /** Records that arrived after their window closed, because their lane had been idle. */
  readonly lateAfterIdle: number
}

const POLL_RECORDS = 10_000

/** Entries held in combiners from which on a commit is due at once. */
const HELD_AT_MOST = 200_000

/** Longest time between two notes of a store's changelog position, in ms: the tail that a restart may replay. */
const POSITION_INTERVAL = 2_000

/**
 * One stream process: a member of the topology's consumer group that runs the tasks of its partitions in one loop, and
 * commits them together in one transaction (DESIGN section 5).
 */
export class StreamProcess {
  private readonly tasks = new Map<string, Task>()
  private readonly sinks = new Map<string, SinkTask>()
  private readonly waitingSinks = new Map<string, SinkTask>()
  private readonly pausedSinks = new Set<SinkTask>()
  private progress: Progress = { tasks: new Map(), catalogue: new Map() }
  private readonly positions = new Map<Task, { readonly writes: StoreWrite[]; readonly at: number }>()
  private lastCommit: number
  private inTransaction = false
  private quiet = 0
  private closed = false

  private constructor(
    private readonly options: StreamProcessOptions,
    private readonly consumer: LogConsumer,
    private readonly producer: LogProducer,
    private readonly program: TopologyProgram,
    private readonly deadLetters: DeadLetters,
    progress: Progress,
  ) {
    this.progress = progress
    this.lastCommit = options.clock.now()
  }

  /**
   * Prepares the topics, compiles the topology and joins the group.
   * @throws MillraceError MISSING_TOPIC, TOPIC_MISMATCH, STATE_INCOMPATIBLE, INVALID_OPTION
   */
  static async start(options: StreamProcessOptions): Promise<StreamProcess> {
    const { topology, log, serde, clock } = options
    const { plan, topics } = await prepareTopics(log, topology, options.namespace, planTopics)
    const progress = await readProgress(log, plan.progress)
    const exactlyOnce = options.guarantee !== 'at_least_once'
    const transactionalId = `${plan.group}-${options.instanceId}`
    const producer = await log.producer(exactlyOnce ? { transactionalId } : {})
    let process: StreamProcess | undefined
    const program = await compileTopology(topology, plan, {
      serde,
      producer,
      now: () => clock.now(),
      topics,
      schemaOf: fingerprint => process?.progress.catalogue.get(fingerprint),
    })
    for (const entry of program.catalogue.values()) checkMeaning(entry, progress.catalogue.values())
    if (options.warehouse === undefined && program.subs.some(sub => sub.kind === 'rows')) {
      throw new MillraceError(
        'INVALID_OPTION',
        `Topology "${topology.name}" writes to a warehouse, and none is given. Pass --warehouse postgres://….`,
      )
    }
    const deadLetterPartitions = topics.get(plan.deadLetters)?.partitions ?? 1
    const deadLetters = new DeadLetters(topology.options.onError, plan.deadLetters, deadLetterPartitions, producer)
    const consumer = await log.consumer({ group: plan.group, instanceId: options.instanceId })
    process = new StreamProcess(options, consumer, producer, program, deadLetters, progress)
    consumer.subscribe(program.subs.map(sub => sub.topic))
    return process
  }

  private get exactlyOnce(): boolean {
    return this.options.guarantee !== 'at_least_once'
  }

  /** One turn of the loop: polls for up to `timeoutMs`, processes what came, and commits when that is due. */
  async step(timeoutMs: number): Promise<void> {
    const { clock } = this.options
    await this.openWaitingSinks()
    const polled = await this.consumer.poll(POLL_RECORDS, timeoutMs)
    try {
      await this.rebalance(polled)
      await this.dispatch(polled)
      const now = clock.now()
      if (this.commitDue(now)) await this.commit()
      const busy = polled.batches.length > 0 || polled.assigned.length > 0 || this.changed()
      this.quiet = busy ? 0 : this.quiet + 1
    } catch (thrown) {
      if (!(thrown instanceof LogError) || thrown.action !== 'abort') throw thrown
      this.options.logger.warn(`A transaction failed and is tried again from the last commit: ${messageOf(thrown)}`)
      await this.startAgain([])
    }
    for (const sink of this.sinks.values()) await this.tick(sink, false)
  }

  private async tick(sink: SinkTask, drain: boolean): Promise<void> {
    await sink.tick(this.options.clock.now(), drain)
    const at = [{ topic: sink.program.topic, partition: sink.partition }]
    if (sink.full && !this.pausedSinks.has(sink)) {
      this.pausedSinks.add(sink)
      this.consumer.pause(at)
    } else if (!sink.full && this.pausedSinks.delete(sink)) this.consumer.resume(at)
  }

  /** Runs until `signal` aborts, then commits and closes. */
  async run(signal: AbortSignal): Promise<void> {
    const { commitInterval = 200 } = this.options
    while (!signal.aborted) await this.step(Math.max(1, Math.min(100, commitInterval)))
    await this.close()
  }

  private async dispatch(polled: Polled): Promise<void> {
    const now = this.options.clock.now()
    if (polled.batches.length > 0) await this.begin()
    for (const batch of polled.batches) {
      const id = partitionId(batch)
      const task = this.tasks.get(id)
      if (task) await task.process(batch)
      else this.sinks.get(id)?.process(batch, now)
    }
    for (const end of polled.ends) this.tasks.get(partitionId(end))?.reachedEnd()
  }

  private async begin(): Promise<void> {
    if (!this.exactlyOnce || this.inTransaction) return
    await this.producer.begin()
    this.inTransaction = true
  }

  private changed(): boolean {
    for (const task of this.tasks.values()) if (task.changed) return true
    for (const sink of this.sinks.values()) if (sink.changed) return true
    return false
  }

  private *writers() {
    for (const sub of this.program.subs) if (sub.kind === 'processing') yield* sub.writers
  }

  private commitDue(now: number): boolean {
    const { commitInterval = 200 } = this.options
    let held = 0
    for (const writer of this.writers()) held += writer.held
    if (held >= HELD_AT_MOST) return true
    return now - this.lastCommit >= commitInterval && this.hasWork(now)
  }

  /** Whether there is anything to commit: records, dead letters, a marker, or windows that the wall clock closes. */
  private hasWork(now: number): boolean {
    if (this.changed()) return true
    for (const writer of this.writers()) if (writer.markers.due(now)) return true
    for (const task of this.tasks.values()) if (task.idleCloseDue(now)) return true
    return false
  }

  /** Commits all tasks together, in the order of DESIGN section 5. */
  async commit(): Promise<void> {
    const now = this.options.clock.now()
    const tasks = [...this.tasks.values()]
    await this.begin()
    for (const task of tasks) await task.closeIdle(now)
    for (const task of tasks) task.emitUpdates()
    const writes = new Map<Task, StoreWrite[]>()
    for (const task of tasks) {
      const changes = task.changes((aggregate, key, value) => {
        this.producer.send(aggregate.changelog, task.partition, key, value, now)
      })
      if (changes.length > 0) writes.set(task, changes)
    }
    for (const writer of this.writers()) writer.flush(now)
    const offsets = tasks.map(task => ({
      topic: task.program.topic,
      partition: task.partition,
      offset: task.nextOffset,
    }))
    if (!this.exactlyOnce) await this.producer.flush()
    const written = this.sendProgress(tasks, now)
    if (this.exactlyOnce) {
      if (offsets.length > 0) await this.producer.sendOffsets(offsets, this.consumer)
      await this.producer.commit()
      this.inTransaction = false
    } else await this.producer.flush()
    for (const [fingerprint, entry] of written) this.progress.catalogue.set(fingerprint, entry)
    for (const [task, batch] of writes) await task.store?.write([...batch, ...(this.positions.get(task)?.writes ?? [])])
    if (!this.exactlyOnce && offsets.length > 0) await this.consumer.commit(offsets)
    for (const task of tasks) task.committed()
    for (const sink of this.sinks.values()) sink.changed = false
    this.lastCommit = this.options.clock.now()
    for (const task of writes.keys()) await this.notePosition(task, false)
  }

  private sendProgress(tasks: readonly Task[], now: number) {
    const { plan, catalogue } = this.program
    const unknown = [...catalogue].filter(([fingerprint]) => !this.progress.catalogue.has(fingerprint))
    for (const [fingerprint, entry] of unknown) {
      sendCatalogueEntry(this.producer, plan.progress, fingerprint, entry, now)
    }
    for (const task of tasks) {
      if (task.changed) sendTaskProgress(this.producer, plan.progress, task.name, task.progress(), now)
    }
    return unknown
  }

  /** Looks up where the changelogs end, once the store holds all of it, for the next batch to note. */
  private async notePosition(task: Task, force: boolean): Promise<void> {
    const now = this.options.clock.now()
    const noted = this.positions.get(task)
    if (!force && noted !== undefined && now - noted.at < POSITION_INTERVAL) return
    const writes: StoreWrite[] = []
    for (const { changelog } of task.program.aggregates.values()) {
      const { high } = await this.options.log.watermarks({ topic: changelog, partition: task.partition })
      writes.push(positionWrite(changelog, high))
    }
    this.positions.set(task, { writes, at: now })
  }

  private async rebalance(polled: Polled): Promise<void> {
    if (polled.lost.length > 0) await this.startAgain(polled.lost)
    if (polled.revoked.length > 0) {
      if (this.tasks.size > 0) await this.commit()
      await this.drop(polled.revoked, true)
      this.consumer.release(polled.revoked)
    }
    if (polled.assigned.length > 0) await this.adopt(polled.assigned, false)
  }

  /** Gives up what was not committed, and restores the tasks of all partitions that are still owned. */
  private async startAgain(lost: readonly TopicPartition[]): Promise<void> {
    const owned = [...this.tasks.values()].map(task => ({ topic: task.program.topic, partition: task.partition }))
    if (this.exactlyOnce && this.inTransaction) await this.producer.abort()
    this.inTransaction = false
    for (const writer of this.writers()) writer.clear()
    await this.drop([...owned, ...lost], false)
    if (lost.length > 0) this.consumer.release(lost)
    const ids = new Set(lost.map(partitionId))
    const kept = owned.filter(at => !ids.has(partitionId(at)))
    if (kept.length > 0) await this.adopt(kept, true)
  }

  private async drop(partitions: readonly TopicPartition[], committed: boolean): Promise<void> {
    for (const at of partitions) {
      const id = partitionId(at)
      const task = this.tasks.get(id)
      if (task) {
        for (const writer of task.program.writers) writer.markers.remove(task)
        this.tasks.delete(id)
        await this.closeStore(task, committed)
      }
      const sink = this.sinks.get(id) ?? this.waitingSinks.get(id)
      if (sink) {
        this.sinks.delete(id)
        this.waitingSinks.delete(id)
        this.pausedSinks.delete(sink)
        await sink.close()
      }
    }
  }

  private async closeStore(task: Task, committed: boolean): Promise<void> {
    if (task.store === undefined) return
    if (committed) {
      await this.notePosition(task, true)
      await task.store.write(this.positions.get(task)!.writes)
    }
    this.positions.delete(task)
    await task.store.close()
  }

  /** Makes the tasks of newly owned partitions, or of owned ones that start again (`seek`). */
  private async adopt(partitions: readonly TopicPartition[], seek: boolean): Promise<void> {
    const { log, clock } = this.options
    const processing: { readonly program: SubTopologyProgram; readonly at: TopicPartition }[] = []
    for (const at of partitions) {
      const program = this.program.subs.find(sub => sub.topic === at.topic)
      if (program === undefined) continue
      if (program.kind === 'processing') processing.push({ program, at })
      else await this.adoptSink(program, at)
    }
    if (processing.length === 0) return
    const committed = await this.consumer.committed(processing.map(({ at }) => at))
    this.progress = await readProgress(log, this.program.plan.progress)
    const positions: PartitionOffset[] = []
    const started = clock.now()
    let restored = 0
    for (const { program, at } of processing) {
      const { task, records } = await this.openTask(program, at.partition)
      restored += records
      const progress = this.progress.tasks.get(task.name)
      const from = this.startOffset(at, committed.get(partitionId(at)), progress?.nextOffset)
      if (progress) task.restore(progress)
      task.nextOffset = from ?? (await log.watermarks(at)).low
      this.tasks.set(partitionId(at), task)
      for (const writer of program.writers) writer.markers.add(task)
      positions.push({ ...at, offset: task.nextOffset })
    }
    if (seek) for (const position of positions) await this.consumer.seek(position)
    else this.consumer.assign(positions)
    const names = processing.map(({ at }) => partitionId(at)).join(', ')
    this.options.logger.info(`Running ${names}; ${restored} changelog records restored in ${clock.now() - started} ms.`)
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

  private async openTask(program: SubTopologyProgram, partition: number): Promise<{ task: Task; records: number }> {
    const { log, clock, logger, topology } = this.options
    const store = program.aggregates.size > 0 ? await this.openStore(program, partition) : undefined
    const environment: TaskEnvironment = {
      deadLetters: this.deadLetters,
      idleAfter: topology.options.idleAfter,
      maxAhead: topology.options.maxAhead,
      now: () => clock.now(),
      warn: message => logger.warn(message),
      schemaOf: fingerprint => this.progress.catalogue.get(fingerprint)?.schema,
    }
    const { input } = program
    const task =
      input.kind === 'source'
        ? new SourceTask(program, input, partition, store, environment)
        : new RepartitionTask(program, input, partition, store, environment)
    let records = 0
    for (const { program: aggregate, windows } of task.tables) {
      records += await restoreTable(log, aggregate.changelog, partition, windows, store!)
    }
    await task.open()
    return { task, records }
  }

  /** Opens a store. One that is damaged, of another engine, or ahead of its changelog is wiped, to be restored. */
  private async openStore(program: SubTopologyProgram, partition: number): Promise<Store> {
    const { stores, stateDirectory, logger, log } = this.options
    const directory = join(stateDirectory, this.program.plan.group, program.name, String(partition))
    let store: Store
    try {
      store = await stores.open(directory)
    } catch (thrown) {
      const wiped = thrown instanceof MillraceError && (thrown.code === 'STORE_ENGINE' || thrown.code === 'STORE')
      if (!wiped) throw thrown
      logger.warn(`${messageOf(thrown)} The store in ${directory} is restored from its changelog.`)
      await stores.destroy(directory)
      return stores.open(directory)
    }
    for (const { changelog } of program.aggregates.values()) {
      const position = await readPosition(store, changelog)
      if (position === undefined || position <= (await log.watermarks({ topic: changelog, partition })).high) continue
      logger.warn(
        `The store in ${directory} stands for more than ${changelog} holds: it is restored from the changelog.`,
      )
      await store.close()
      await stores.destroy(directory)
      return stores.open(directory)
    }
    return store
  }

  private async adoptSink(program: RowsProgram, at: TopicPartition): Promise<void> {
    const warn = (message: string): void => this.options.logger.warn(message)
    const sink = new SinkTask(program, at.partition, this.options.warehouse!, this.deadLetters, warn)
    this.waitingSinks.set(partitionId(at), sink)
  }

  private async openWaitingSinks(): Promise<void> {
    const { log, clock } = this.options
    for (const [id, sink] of this.waitingSinks) {
      const at = { topic: sink.program.topic, partition: sink.partition }
      const { low, high } = await log.watermarks(at)
      const offset = await sink.open(clock.now(), high)
      if (offset === undefined) continue
      this.waitingSinks.delete(id)
      this.sinks.set(id, sink)
      this.consumer.assign([{ ...at, offset: Math.max(low, offset) }])
    }
  }

  /**
   * Steps until nothing is left to read, commit or flush: for the end of a demo or a test on the embedded log, where
   * a poll that finds nothing means that there is nothing.
   */
  async settle(): Promise<void> {
    this.quiet = 0
    while (this.quiet < 3 || this.waitingSinks.size > 0) {
      await this.step(this.waitingSinks.size > 0 ? 50 : 0)
      if (this.hasWork(this.options.clock.now())) {
        await this.commit()
        this.quiet = 0
      }
    }
    await this.flushSinks()
  }

  /** Flushes all rows read so far, and waits for it. */
  async flushSinks(): Promise<void> {
    for (const sink of this.sinks.values()) {
      while (!sink.drained) {
        await this.tick(sink, true)
        await sink.settled()
        if (!sink.drained) await this.options.clock.sleep(50)
      }
    }
  }

  /** Figures of the tasks of this process. */
  async status(): Promise<ProcessStatus> {
    const accounting = noAccounting()
    let lag = 0
    let openWindows = 0
    let flushedRows = 0
    let lateAfterIdle = 0
    for (const task of this.tasks.values()) {
      addAccounting(accounting, task.accounting)
      openWindows += task.openWindows
      lateAfterIdle += task.lateAfterIdle
      if (task.program.input.kind !== 'source') continue
      const { high } = await this.options.log.watermarks({ topic: task.program.topic, partition: task.partition })
      lag += Math.max(0, high - task.nextOffset)
    }
    for (const sink of this.sinks.values()) flushedRows += sink.flushedRows
    return { accounting, lag, openWindows, flushedRows, lateAfterIdle }
  }

  /** The tasks by name, for tests and queries. */
  get runningTasks(): readonly Task[] {
    return [...this.tasks.values()]
  }

  /** Commits, closes stores and sinks, and leaves the group. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    if (this.changed()) await this.commit()
    for (const sink of this.sinks.values()) {
      await sink.tick(this.options.clock.now(), true)
      await sink.settled()
    }
    const owned = [...this.tasks.values(), ...this.sinks.values(), ...this.waitingSinks.values()]
    await this.drop(
      owned.map(({ program, partition }) => ({ topic: program.topic, partition })),
      true,
    )
    await this.consumer.close()
    await this.producer.close()
  }

  /** Stops at once, as a crash would: nothing is committed or flushed. */
  async kill(): Promise<void> {
    this.closed = true
    if (this.inTransaction) await this.producer.abort()
    const owned = [...this.tasks.values(), ...this.sinks.values(), ...this.waitingSinks.values()]
    await this.drop(
      owned.map(({ program, partition }) => ({ topic: program.topic, partition })),
      false,
    )
    await this.consumer.close()
    await this.producer.close()
  }
}
