import { type PartitionOffset, partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { Log, LogConsumer } from '../ports/log.js'
import { Attempt } from './attempt.js'
import type { CatalogueEntry, TaskProgress } from './progress.js'
import type { Restoration } from './restoration.js'
import { readOffsets, startOffset } from './start-offset.js'
import type { Logger, StreamProcessOptions } from './stream-process-options.js'
import type { SubTopologyProgram } from './sub-topology-program.js'
import type { TaskSet } from './task-set.js'

/** Part of a turn that restoring takes while tasks run, in ms, and how many times as long it is while none runs. */
const SLICE = 50
const ALONE = 10

/** Between two lines that say how far restoring is, in ms. */
const SAID_EVERY = 5_000

/** A partition of this process that is to have its task. */
export interface Owned {
  readonly program: SubTopologyProgram
  readonly at: TopicPartition
  /** Its records are read already: its task was dropped by a failed transaction. */
  readonly wasRunning: boolean
}

/** How far restoring is, in changelog offsets of the tasks that do not run yet. */
export interface RestoreProgress {
  /** Tasks that do not run yet. */
  readonly tasks: number
  /** Those among them of which it is known how much there is to read. */
  readonly byTask: readonly { readonly task: string; readonly done: number; readonly total: number }[]
  readonly done: number
  readonly total: number
  /** Estimate of what is left at the present speed; absent before there is one. */
  readonly millisecondsLeft?: number
}

/** A task of which all is known but what its store lacks. */
interface Known {
  readonly owned: Owned
  readonly progress: TaskProgress | undefined
  /** Where it reads on; undefined where the group knows nothing of the partition. */
  readonly from: number | undefined
}

interface Running extends Known {
  readonly restoration: Restoration
}

type Offsets = Awaited<ReturnType<typeof readOffsets>>

/**
 * The tasks of a process that do not run yet. Restoring is done in slices of the process' loop, so that tasks that run and
 * the polls of the group go on beside it; whatever is given up in between is dropped here and leaves no trace.
 *
 * In this order, for each newly owned partition: stable committed offsets, progress, changelog up to the high watermark
 * of then (DESIGN section 5). Nobody else may commit for a partition that is owned, so that they stay true until the task runs.
 */
export class RestorationSet {
  private readonly log: Log
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly exactlyOnce: boolean
  private readonly slice: number
  private readonly asked: { owned: readonly Owned[]; readonly offsets: Attempt<Offsets> }[] = []
  private known: Known[] = []
  private running: Running[] = []
  private begunAt = 0
  private finishedDone = 0
  private saidAt = 0

  constructor(
    { log, clock, logger, guarantee, restoreSlice = SLICE }: StreamProcessOptions,
    private readonly consumer: LogConsumer,
    private readonly tasks: TaskSet,
    private readonly progressTopic: string,
    private readonly catalogue: Map<string, CatalogueEntry>,
  ) {
    this.log = log
    this.clock = clock
    this.logger = logger
    this.slice = restoreSlice
    this.exactlyOnce = guarantee !== 'at_least_once'
  }

  /** Tasks that do not run yet. */
  get size(): number {
    return this.asked.reduce((sum, { owned }) => sum + owned.length, this.known.length + this.running.length)
  }

  /** Something can be done at once: it waits for nobody. */
  get ready(): boolean {
    return this.known.length + this.running.length > 0
  }

  get progress(): RestoreProgress {
    const byTask = this.running.map(({ restoration: { task, done, total } }) => ({ task: task.name, done, total }))
    const done = byTask.reduce((sum, one) => sum + one.done, 0)
    const total = byTask.reduce((sum, one) => sum + one.total, 0)
    const read = this.finishedDone + done
    const speed = read / (this.clock.now() - this.begunAt)
    const known = read > 0 && Number.isFinite(speed)
    return { tasks: this.size, byTask, done, total, ...(known && { millisecondsLeft: (total - done) / speed }) }
  }

  /** Begins to restore newly owned partitions, and those that lost their tasks to a failed transaction. */
  add(owned: readonly Owned[]): void {
    if (owned.length === 0) return
    if (this.size === 0) {
      this.begunAt = this.clock.now()
      this.saidAt = this.begunAt
      this.finishedDone = 0
    }
    const partitions = owned.map(one => one.at)
    const offsets = new Attempt(readOffsets(this.consumer, this.log, partitions, this.progressTopic))
    this.asked.push({ owned, offsets })
  }

  /**
   * Restores for a slice of time, and at least one batch where there is one; a task with little to restore comes
   * first. A task that can run joins the others, and its partition is read.
   * @throws MillraceError PROGRESS_MISMATCH
   */
  async advance(): Promise<void> {
    const deadline = this.clock.now() + (this.tasks.all.length > 0 ? this.slice : ALONE * this.slice)
    this.takeOffsets()
    const restored: Running[] = []
    do {
      const [next] = this.known
      if (next !== undefined) {
        const restoration = await this.tasks.prepare(next.owned.program, next.owned.at.partition)
        this.known.shift()
        this.running.push({ ...next, restoration })
        continue
      }
      const least = this.running.reduce<Running | undefined>(
        (a, b) => (a === undefined || left(b.restoration) < left(a.restoration) ? b : a),
        undefined,
      )
      if (least === undefined) break
      if (!(await least.restoration.step())) continue
      this.running = this.running.filter(one => one !== least)
      this.finishedDone += least.restoration.done
      await this.finish(least)
      restored.push(least)
    } while (this.clock.now() < deadline)
    this.say(restored)
  }

  /** Looks at the offsets that were asked for. */
  private takeOffsets(): void {
    for (const asked of this.asked.filter(({ offsets }) => offsets.settled)) {
      this.asked.splice(this.asked.indexOf(asked), 1)
      if (asked.owned.length === 0) continue
      const { committed, progress } = asked.offsets.result()
      for (const [fingerprint, entry] of progress.catalogue) this.catalogue.set(fingerprint, entry)
      for (const owned of asked.owned) {
        const { program, at } = owned
        const task = progress.tasks.get(`${program.name}/${at.partition}`)
        const known = { committed: committed.get(partitionId(at)), progress: task?.nextOffset }
        const from = startOffset(at, known, this.exactlyOnce, this.progressTopic)
        this.known.push({ owned, progress: task, from })
      }
    }
  }

  private async finish({ owned, progress, from, restoration: { task } }: Running): Promise<void> {
    if (progress) task.restore(progress)
    task.nextOffset = from ?? (await this.log.watermarks(owned.at)).low
    this.tasks.add(task)
    await this.read({ ...owned.at, offset: task.nextOffset }, owned.wasRunning)
  }

  /** Reads a partition from where its task is to go on. What was polled of it for a dropped task lies behind that. */
  private async read(position: PartitionOffset, wasRunning: boolean): Promise<void> {
    if (wasRunning) await this.consumer.seek(position)
    else this.consumer.assign([position])
  }

  private say(restored: readonly Running[]): void {
    const now = this.clock.now()
    if (restored.length > 0) {
      const names = restored.map(({ owned }) => partitionId(owned.at)).join(', ')
      const records = restored.reduce((sum, { restoration }) => sum + restoration.records, 0)
      this.logger.info(`Running ${names}; restored ${records} changelog records in ${now - this.begunAt} ms.`)
    }
    if (this.running.length === 0 || now - this.saidAt < SAID_EVERY) return
    this.saidAt = now
    const { tasks, done, total, millisecondsLeft } = this.progress
    const share = total > 0 ? Math.floor((100 * done) / total) : 100
    const left = millisecondsLeft === undefined ? '' : `, about ${Math.ceil(millisecondsLeft / 1_000)} s left`
    this.logger.info(`Restoring ${tasks} tasks: ${done} of ${total} changelog records (${share} %)${left}.`)
  }

  /** Forgets partitions that this process gives up. */
  async drop(partitions: readonly TopicPartition[]): Promise<void> {
    const ids = new Set(partitions.map(partitionId))
    const stays = ({ at }: Owned): boolean => !ids.has(partitionId(at))
    for (const asked of this.asked) asked.owned = asked.owned.filter(stays)
    this.known = this.known.filter(({ owned }) => stays(owned))
    const leaving = this.running.filter(({ owned }) => !stays(owned))
    this.running = this.running.filter(({ owned }) => stays(owned))
    for (const { restoration } of leaving) await restoration.abandon()
  }

  async close(): Promise<void> {
    const all = [...this.asked.flatMap(({ owned }) => owned), ...[...this.known, ...this.running].map(one => one.owned)]
    await this.drop(all.map(({ at }) => at))
  }
}

function left({ total, done }: Restoration): number {
  return total - done
}
