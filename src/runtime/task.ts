import type { Subject } from 'rxjs'
import type { RecordBatch } from '../model/record-batch.js'
import type { Store, StoreWrite } from '../ports/store.js'
import type { StreamRecord } from '../topology/node.js'
import { type Accounting, noAccounting, type Outcome } from './accounting.js'
import { compile } from './compile.js'
import { failedRecord, labelOf } from './dead-letters.js'
import type { LaneState } from './marker-writer.js'
import type { TaskProgress } from './progress.js'
import type { RecordEffects } from './record-effects.js'
import type { AggregateProgram, SubTopologyProgram } from './sub-topology-program.js'
import { TaskContext } from './task-context.js'
import type { TaskEnvironment } from './task-environment.js'
import { WindowStage } from './window-stage.js'

/** What is left of a batch whose next record cannot be decoded yet. */
export interface Rest {
  readonly batch: RecordBatch
  /** Index of the first record that is left. */
  readonly from: number
  /** Id of the writer schema that it needs. */
  readonly missing: number
  /** Fetches the schema. Rejects when the registry cannot be reached (REGISTRY). */
  prepare(): Promise<void>
}

/**
 * A sub-topology on one partition of its input: reads batches, keeps windows, and owns a lane of what it writes.
 *
 * The first pass over a batch pushes each record through its pipe and notes its effects. Without windows in this task
 * they are applied at once; else in the second pass, when the cells of the windows are in memory.
 */
export abstract class Task implements LaneState {
  readonly name: string
  /** Offset in the input behind the last record processed. */
  nextOffset = 0
  accounting: Accounting = noAccounting()
  /** Records that arrived after their window closed, because their lane had been idle. */
  lateAfterIdle = 0
  /** Both as of the last commit: what was not committed may be given up, and counters never go back. */
  counted: { readonly accounting: Readonly<Accounting>; readonly lateAfterIdle: number } = {
    accounting: noAccounting(),
    lateAfterIdle: 0,
  }
  /** Something is to be committed. */
  changed = true
  protected readonly context = new TaskContext()
  protected readonly stage: WindowStage
  protected readonly input: Subject<StreamRecord>
  private readonly effects: RecordEffects

  constructor(
    readonly program: SubTopologyProgram,
    readonly partition: number,
    readonly store: Store | undefined,
    protected readonly environment: TaskEnvironment,
  ) {
    this.name = `${program.name}/${partition}`
    this.effects = this.context.effects
    this.stage = new WindowStage(this.name, partition, program, this.context, environment, store)
    const { source, nodes, outputs } = program.sub
    const pipeline = compile([source, ...nodes, ...outputs], source, this.context, node => {
      const output = program.outputs.get(node)
      return output ? record => output.accept(record, this.context) : this.stage.terminal(node)
    })
    this.stage.connect(pipeline)
    this.input = pipeline.get(source)!
  }

  abstract timeAt(now: number, lag: number): number

  /** Wall clock minus idleAfter where the lane is idle, else null. */
  abstract idleClock(now: number): number | null

  /**
   * Processes the records from index `from` (default 0) on. The answer is what is left of the batch where the schema of a
   * record is still to be fetched; nothing else may be processed before that.
   */
  abstract process(batch: RecordBatch, from?: number): Promise<Rest | undefined>

  abstract progress(): TaskProgress

  /** Whether outcomes of its records are counted: work behind a repartition is not counted again. */
  protected abstract readonly counts: boolean

  restore(progress: TaskProgress): void {
    this.nextOffset = progress.nextOffset
    this.stage.restore(progress.streamTime ?? Number.NEGATIVE_INFINITY)
    this.accounting = { ...progress.accounting }
    this.lateAfterIdle = progress.lateAfterIdle
    this.count()
  }

  private count(): void {
    this.counted = { accounting: { ...this.accounting }, lateAfterIdle: this.lateAfterIdle }
  }

  /** Reads what a restored store holds. */
  async open(): Promise<void> {
    for (const { windows } of this.stage.all) await windows.open()
  }

  /** Notes that the partition was read to its end. */
  reachedEnd(): void {}

  /** Whether the wall clock closes windows here: the lane is idle, and its partition is the task's own (DESIGN section 4). */
  idleCloseDue(now: number): boolean {
    const clock = this.idleClock(now)
    return clock !== null && clock > this.stage.streamTime && this.stage.closes(clock)
  }

  /**
   * Lets stream time follow the wall clock while the lane is idle: where a window closes by it, and where a repartition
   * behind a table announces it, so that a record which comes late is refused here and not behind the repartition.
   */
  async closeIdle(now: number): Promise<void> {
    const clock = this.idleClock(now)
    if (clock === null || clock <= this.stage.streamTime) return
    if (!this.stage.closes(clock) && !this.program.writers.some(writer => writer.markers.behindTable)) return
    this.stage.streamTime = clock
    this.changed = true
    await this.stage.close(this.stage.streamTime)
  }

  /** Pushes one record through the pipe. The position and the lane's time stand in the context. */
  protected run(batch: RecordBatch, index: number, record: StreamRecord): void {
    const { context, effects } = this
    const from = effects.length
    this.input.next(record)
    if (context.fault !== undefined) throw context.fault
    if (context.failure) {
      effects.truncate(from)
      this.failed(batch, index, labelOf(context.failure.node), context.failure.thrown)
      return
    }
    const { reached, refused, keyless } = context
    this.lateAfterIdle += context.refusedAfterIdle
    const outcome: Outcome = keyless ? 'skipped' : reached ? 'aggregated' : refused > 0 ? 'late' : 'filtered'
    if (outcome === 'late') this.environment.lateness.observe((context.laneTime - record.timestamp) / 1_000)
    const to = effects.length
    if (this.stage.isEmpty) {
      this.settle(batch, index, from, to, outcome, refused)
      effects.truncate(from)
    } else this.stage.push({ kind: 'effects', apply: () => this.settle(batch, index, from, to, outcome, refused) })
  }

  /** Applies the effects of a record and counts its outcome. */
  private settle(batch: RecordBatch, index: number, from: number, to: number, outcome: Outcome, refused: number): void {
    try {
      this.effects.stage(from, to)
    } catch (thrown) {
      this.failed(batch, index, this.program.label, thrown)
      return
    }
    this.effects.apply(from, to)
    this.accounting.refusedWindows += refused
    if (this.counts) this.accounting[outcome]++
  }

  private failed(batch: RecordBatch, index: number, node: string, thrown: unknown): void {
    const outcome = this.environment.deadLetters.handle(failedRecord(batch, index), node, thrown)
    if (this.counts) this.accounting[outcome]++
  }

  /** The second pass, and the end of a batch, or of its first `count` records. */
  protected async finish(batch: RecordBatch, count: number): Promise<void> {
    await this.stage.runSteps()
    this.effects.clear()
    this.nextOffset = (batch.offsets[count - 1] as number) + 1
    this.changed = true
  }

  emitUpdates(): void {
    this.stage.emitUpdates()
  }

  /** Changed windows since the last commit. */
  get held(): number {
    let held = 0
    for (const { windows } of this.stage.all) held += windows.changed.size
    return held
  }

  /** Estimate of the memory that they take, in bytes. */
  get heldBytes(): number {
    let bytes = 0
    for (const { windows } of this.stage.all) bytes += windows.changed.size * windows.entrySize.bytes
    return bytes
  }

  get openWindows(): number {
    return this.stage.openWindows
  }

  /** Changes of all stores since the last commit: changelog records to `log`, the batch for the store as the answer. */
  changes(log: (aggregate: AggregateProgram, key: Buffer, value: Buffer | null) => void): StoreWrite[] {
    return this.stage.changes(log)
  }

  /** Called when transaction and store batch went through. Windows may stay in memory up to `cacheBytes` (an estimate). */
  committed(cacheBytes: number): void {
    if (this.changed) this.count()
    this.changed = false
    const { size } = this.program.aggregates
    for (const { windows } of this.stage.all) windows.committed(cacheBytes / size)
  }

  /** Its tables, for restore and queries. */
  get tables() {
    return this.stage.all
  }
}
