import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { Log, LogProducer, Polled } from '../ports/log.js'
import { type Histogram, type MetricSource, type Metrics, noMetrics, type Report } from '../ports/metrics.js'
import type { Warehouse } from '../ports/warehouse.js'
import type { DeadLetters } from './dead-letters.js'
import { METRICS } from './metrics.js'
import type { ProcessHealth } from './process-health.js'
import type { RepartitionWriter } from './repartition-writer.js'
import type { RestoreProgress } from './restoration-set.js'
import { counting } from './sent-records.js'
import type { SinkSet } from './sink-set.js'
import type { StreamProcessOptions } from './stream-process-options.js'
import { reportSink, reportTask } from './task-metrics.js'
import type { TaskSet } from './task-set.js'

/** How often the size of a store is looked up, in ms. */
const STATE_INTERVAL = 60_000

type MeasuredOptions = Pick<StreamProcessOptions, 'topology' | 'log' | 'clock' | 'warehouse' | 'metrics'>

/** What the metrics of a stream process are read from. */
export interface MeasuredParts {
  readonly tasks: Pick<TaskSet, 'all'>
  readonly sinks: Pick<SinkSet, 'all' | 'pressures'>
  readonly writers: readonly Pick<RepartitionWriter, 'topic' | 'held'>[]
  readonly deadLetters: Pick<DeadLetters, 'counts' | 'committed' | 'givenUp'>
  readonly process: { health(): ProcessHealth; readonly restoreProgress: RestoreProgress }
}

/** The metrics of one stream process: figures that it keeps anyway, read at scrape time, and what happens once a commit. */
export class ProcessMetrics implements MetricSource {
  /** Seconds by which late records lay behind their lane's time. */
  readonly lateness: Histogram
  private readonly metrics: Metrics
  private readonly log: Log
  private readonly clock: Clock
  private readonly warehouse: Warehouse | undefined
  private readonly topology: { readonly topology: string }
  private readonly commitDuration: Histogram
  private readonly commitRecords: Histogram
  private readonly commitBytes: Histogram
  private parts: MeasuredParts | undefined
  private remove: () => void = () => undefined
  private readonly partitions = { assigned: 0, revoked: 0, lost: 0 }
  private rebalances = 0
  private aborted = 0
  private readonly sent = { records: 0, bytes: 0 }
  /** What had been sent when the last transaction ended. */
  private sentBefore = { records: 0, bytes: 0 }
  /** Where partitions ended when they were last read to the end: behind control records, which no task sees. */
  private readonly ends = new Map<string, number>()
  private highs = new Map<string, number>()
  /** By task. */
  private stateSizes = new Map<string, { readonly bytes: number; readonly at: number }>()
  private refreshing: Promise<void> | undefined

  constructor({ topology, log, clock, warehouse, metrics = noMetrics }: MeasuredOptions) {
    this.warehouse = warehouse
    this.topology = { topology: topology.name }
    this.metrics = metrics
    this.log = log
    this.clock = clock
    this.lateness = metrics.histogram(METRICS.lateness, this.topology)
    this.commitDuration = metrics.histogram(METRICS.commitDuration, this.topology)
    this.commitRecords = metrics.histogram(METRICS.commitRecords, this.topology)
    this.commitBytes = metrics.histogram(METRICS.commitBytes, this.topology)
  }

  /** The producer, which counts what it sends where somebody reads that. */
  counting(producer: LogProducer): LogProducer {
    return this.metrics === noMetrics ? producer : counting(producer, this.sent)
  }

  /** Takes seconds of flushes into a table. */
  readonly flushDuration = (table: string): Histogram =>
    this.metrics.histogram(METRICS.flushDuration, { ...this.topology, table })

  /** Reads figures from these from now on, until `close`. */
  measure(parts: MeasuredParts): void {
    this.parts = parts
    this.remove = this.metrics.add(this)
  }

  /** Notes what a poll brought. */
  polled({ assigned, revoked, lost, ends }: Polled): void {
    for (const end of ends) this.ends.set(partitionId(end), end.offset)
    if (assigned.length + revoked.length + lost.length === 0) return
    this.rebalances++
    this.partitions.assigned += assigned.length
    this.partitions.revoked += revoked.length
    this.partitions.lost += lost.length
    for (const at of [...revoked, ...lost]) this.ends.delete(partitionId(at))
  }

  /** Notes a commit that began at `startedAt`. */
  committed(startedAt: number): void {
    const { clock, sent } = this
    this.commitDuration.observe((clock.now() - startedAt) / 1_000)
    this.commitRecords.observe(sent.records - this.sentBefore.records)
    this.commitBytes.observe(sent.bytes - this.sentBefore.bytes)
    this.sentBefore = { ...sent }
    this.parts?.deadLetters.committed()
  }

  /** Notes that everything since the last commit was given up. */
  gaveUp(): void {
    this.aborted++
    this.sentBefore = { ...this.sent }
    this.parts?.deadLetters.givenUp()
  }

  /** Says nothing any more. Resolves when nothing is asked of the log and the stores any more. */
  async close(): Promise<void> {
    this.parts = undefined
    this.remove()
    await this.refreshing?.catch(() => undefined)
  }

  refresh(): Promise<void> {
    this.refreshing ??= this.lookUp().finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  private async lookUp(): Promise<void> {
    const { clock, log } = this
    const tasks = this.parts?.tasks.all ?? []
    const sizes = new Map<string, { readonly bytes: number; readonly at: number }>()
    for (const { name, store } of tasks) {
      const known = this.stateSizes.get(name)
      const fresh = known !== undefined && clock.now() - known.at < STATE_INTERVAL
      if (store) sizes.set(name, fresh ? known : { bytes: await store.sizeOnDisk(), at: clock.now() })
    }
    this.stateSizes = sizes
    // One after the other: a client asks in a thread that the stores need, too.
    const highs = new Map<string, number>()
    for (const task of tasks) {
      if (this.parts === undefined) return
      const at = { topic: task.program.topic, partition: task.partition }
      highs.set(partitionId(at), (await log.watermarks(at)).high)
    }
    this.highs = highs
  }

  report(report: Report): void {
    const { topology, parts } = this
    if (parts === undefined) return
    const { tasks, sinks, writers, deadLetters, process } = parts
    for (const task of tasks.all) reportTask(report, topology.topology, task, this)
    for (const sink of sinks.all) reportSink(report, topology.topology, sink, this.clock.now())
    for (const { topic, held } of writers) report(METRICS.heldPartials, held, { ...topology, topic })
    for (const { node, reason, count } of deadLetters.counts)
      report(METRICS.deadLetters, count, { ...topology, node, reason })
    report(METRICS.abortedTransactions, this.aborted, topology)
    report(METRICS.rebalances, this.rebalances, topology)
    for (const [change, count] of Object.entries(this.partitions)) {
      report(METRICS.rebalancedPartitions, count, { ...topology, change })
    }
    this.reportRestoring(report, process.restoreProgress)
    this.reportSessions(report)
    this.reportHealth(report, process.health())
  }

  private reportRestoring(report: Report, { byTask, tasks, millisecondsLeft = Number.NaN }: RestoreProgress): void {
    const { topology } = this
    for (const { task, done, total } of byTask) {
      report(METRICS.restoredRecords, done, { ...topology, task })
      report(METRICS.restoreTotalRecords, total, { ...topology, task })
    }
    if (tasks > 0) report(METRICS.restoreEta, millisecondsLeft / 1_000, topology)
  }

  /** The same figures from all topologies of a process, which share its warehouse. */
  private reportSessions(report: Report): void {
    const { name = '', sessions } = this.warehouse ?? {}
    if (sessions === undefined) return
    report(METRICS.sessions, sessions.inUse, { warehouse: name })
    report(METRICS.sessionLimit, sessions.limit, { warehouse: name })
    for (const [permit, factor] of this.parts?.sinks.pressures ?? []) {
      report(METRICS.pressure, factor, { warehouse: name, permit: String(permit) })
    }
  }

  private reportHealth(report: Report, health: ProcessHealth): void {
    const { topology } = this
    const now = this.clock.now()
    const { turnedAt, uncommittedSince = now, running, restoring, sinksOpen, sinksWaiting, waitingFor } = health
    report(METRICS.turnAge, (now - turnedAt) / 1_000, topology)
    report(METRICS.uncommittedAge, (now - uncommittedSince) / 1_000, topology)
    report(METRICS.tasks, running, { ...topology, state: 'running' })
    report(METRICS.tasks, restoring, { ...topology, state: 'restoring' })
    report(METRICS.waiting, waitingFor === undefined ? 0 : 1, topology)
    report(METRICS.sinks, sinksOpen, { ...topology, state: 'open' })
    report(METRICS.sinks, sinksWaiting, { ...topology, state: 'waiting' })
  }

  /** Records behind `nextOffset`, as of the last look; NaN before it. */
  lagOf(at: TopicPartition, nextOffset: number): number {
    const id = partitionId(at)
    return Math.max(0, (this.highs.get(id) ?? Number.NaN) - Math.max(nextOffset, this.ends.get(id) ?? 0))
  }

  /** Bytes on disk of a task's store, as of the last look; NaN before it. */
  stateBytesOf(task: string): number {
    return this.stateSizes.get(task)?.bytes ?? Number.NaN
  }
}
