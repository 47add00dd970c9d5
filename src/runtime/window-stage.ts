import type { Subject } from 'rxjs'
import type { Store, StoreWrite } from '../ports/store.js'
import type { Node, StreamRecord } from '../topology/node.js'
import { TableTarget } from './accumulating.js'
import type { ReadPartial } from './combiner.js'
import type { Pipeline, Terminal } from './compile.js'
import { labelOf } from './dead-letters.js'
import type { KeyEntry, KeyRecord } from './key-codec.js'
import { RecordEffects } from './record-effects.js'
import type { AggregateProgram, Output, SubTopologyProgram } from './sub-topology-program.js'
import type { TaskContext } from './task-context.js'
import type { TaskEnvironment } from './task-environment.js'
import { enterWindows } from './window-entry.js'
import { rowKey } from './window-rows.js'
import { type Cell, WindowTable } from './window-table.js'

/** One aggregate in one task. */
export interface TaskTable {
  readonly program: AggregateProgram
  readonly windows: WindowTable
  /** Takes the table's rows on to their readers. */
  readonly rows: Subject<StreamRecord>
  /** Outputs that keep rows of closed windows apart, and are told of each that closes. */
  readonly split: readonly Output[]
}

/** What a batch asks of the windows once their cells are in memory, in the order of the log. */
type Step =
  | { readonly kind: 'effects'; readonly apply: () => void }
  | { readonly kind: 'partial'; readonly table: TaskTable; readonly key: KeyEntry; readonly partial: ReadPartial }
  | { readonly kind: 'close'; readonly time: number }

/**
 * The windows of one task. A batch is worked on in two passes: the first notes steps, without waiting; then the cells
 * that they need are fetched in one look-up, and the steps run in the order of the log.
 */
export class WindowStage {
  streamTime = Number.NEGATIVE_INFINITY
  /** Stream time up to which windows were closed: behind `streamTime` only within a batch. */
  private closedTo = Number.NEGATIVE_INFINITY
  private readonly tables = new Map<Node, TaskTable>()
  private readonly windows = new Map<Node, WindowTable>()
  private readonly emission = new RecordEffects()
  private steps: Step[] = []

  constructor(
    private readonly task: string,
    private readonly partition: number,
    private readonly program: SubTopologyProgram,
    private readonly context: TaskContext,
    private readonly environment: TaskEnvironment,
    store: Store | undefined,
  ) {
    for (const aggregate of program.aggregates.values()) {
      const { node, window, program: measures, keys, fingerprint } = aggregate
      const { schemaOf } = environment
      this.windows.set(node, new WindowTable(node.name, window, measures, keys, fingerprint, schemaOf, store!))
    }
  }

  /** The end of the pipe that leads into an aggregate; undefined where the node is none, or merges partials instead. */
  terminal(node: Node): Terminal | undefined {
    const aggregate = this.program.aggregates.get(node)
    if (aggregate === undefined || aggregate.combined) return undefined
    const { context } = this
    const windows = this.windows.get(node)!
    const target = new TableTarget(windows)
    const want = (start: number, key: KeyEntry): void => windows.want(start, key)
    return record => {
      let key: KeyEntry | undefined
      try {
        key = aggregate.keys.ofRecord(record.key as KeyRecord | null)
      } catch (thrown) {
        context.fail(node, thrown)
        return
      }
      if (key === undefined) context.keyless = true
      else {
        const closed = aggregate.lag > 0 ? this.closedTo - aggregate.lag : this.streamTime
        enterWindows(context, node, aggregate.window, aggregate.program, target, key, record, closed, want)
      }
    }
  }

  /** Connects the tables with the pipes that their rows go into. */
  connect(pipeline: Pipeline): void {
    for (const [node, windows] of this.windows) {
      const split = [...this.program.outputs]
        .filter(([output]) => output.kind === 'to-warehouse' && output.split && output.inputs[0] === node)
        .map(([, output]) => output)
      this.tables.set(node, { program: this.program.aggregates.get(node)!, windows, rows: pipeline.get(node)!, split })
    }
  }

  get isEmpty(): boolean {
    return this.windows.size === 0
  }

  get openWindows(): number {
    let open = 0
    for (const { windows } of this.tables.values()) open += windows.openWindows
    return open
  }

  get all(): Iterable<TaskTable> {
    return this.tables.values()
  }

  table(node: Node): TaskTable | undefined {
    return this.tables.get(node)
  }

  restore(streamTime: number): void {
    this.streamTime = streamTime
    this.closedTo = streamTime
  }

  /** Whether a window of any table closes at or before `time`. */
  closes(time: number): boolean {
    for (const { windows, program } of this.tables.values()) if (windows.closes(time - program.lag)) return true
    return false
  }

  push(step: Step): void {
    this.steps.push(step)
  }

  /** The second pass. */
  async runSteps(): Promise<void> {
    if (this.loading) await this.load()
    const { steps } = this
    this.steps = []
    for (const step of steps) {
      switch (step.kind) {
        case 'effects':
          step.apply()
          break
        case 'partial':
          merge(step.table, step.key, step.partial)
          break
        case 'close':
          await this.close(step.time)
          break
        default:
          step satisfies never
      }
    }
  }

  private get loading(): boolean {
    for (const { windows } of this.tables.values()) if (windows.loading) return true
    return false
  }

  private async load(): Promise<void> {
    for (const { windows } of this.tables.values()) await windows.load()
  }

  /**
   * Closes the windows behind `time` and emits their rows, first those of tables that others in this task read. A split
   * output gets every row of them once more, as closed, unless it was deleted.
   */
  async close(time: number): Promise<void> {
    for (const table of this.tables.values()) {
      const { windows, program, split } = table
      if (!windows.closes(time - program.lag)) continue
      const final = program.node.emit === 'final'
      const changed = final || split.length === 0 ? undefined : new Set(windows.changed)
      for (const cell of await windows.close(time - program.lag, final || changed ? 'all' : 'changed')) {
        const closing = changed === undefined || changed.has(cell) ? 'changed' : 'unchanged'
        if (cell.states === undefined && (final || closing === 'unchanged')) continue
        this.pass(table, cell, closing)
        if (this.loading) await this.load()
        this.settle(table, cell)
      }
    }
    this.closedTo = time
  }

  /** Emits the rows of changed windows, at commit. */
  emitUpdates(): void {
    for (const table of this.tables.values()) {
      if (table.program.node.emit === 'final') continue
      for (const cell of table.windows.changed) {
        this.pass(table, cell)
        this.settle(table, cell)
      }
    }
  }

  /** Passes the row of a cell on, and notes what it does in `emission`. */
  private pass(table: TaskTable, cell: Cell, closing?: 'changed' | 'unchanged'): void {
    const { context, emission } = this
    const { node, program, window } = table.program
    const records = context.effects
    context.begin()
    context.effects = emission
    context.laneTime = cell.start
    context.place(node.name, this.partition, cell.start, cell.timestamp)
    context.closing = closing
    const value = cell.states === undefined ? null : program.row(cell.states, message => this.environment.warn(message))
    try {
      const row = { key: rowKey(cell.key.columns, window, cell.start), value, timestamp: cell.timestamp }
      if (closing === 'unchanged') for (const output of table.split) output.accept(row, context)
      else table.rows.next(row)
      if (context.fault !== undefined) throw context.fault
      if (context.failure) {
        emission.clear()
        this.failed(cell, context.failure.node, context.failure.thrown)
      }
    } finally {
      context.effects = records
      context.closing = undefined
    }
  }

  /** Does what was noted of a row, all of it or nothing. */
  private settle(table: TaskTable, cell: Cell): void {
    const { emission } = this
    try {
      emission.stage(0, emission.length)
    } catch (thrown) {
      emission.clear()
      this.failed(cell, table.program.node, thrown)
      return
    }
    emission.apply(0, emission.length)
    emission.clear()
  }

  private failed(cell: Cell, node: Node, thrown: unknown): void {
    const record = {
      topic: this.task,
      partition: this.partition,
      offset: -1,
      timestamp: cell.timestamp,
      key: cell.key.bytes,
      value: null,
      headers: [],
    }
    this.environment.deadLetters.handle(record, labelOf(node), thrown)
  }

  /** Changes of all stores since the last commit: changelog records to `log`, the batch for the store as the answer. */
  changes(log: (aggregate: AggregateProgram, key: Buffer, value: Buffer | null) => void): StoreWrite[] {
    const writes: StoreWrite[] = []
    for (const { program, windows } of this.tables.values()) {
      writes.push(...windows.changes((key, value) => log(program, key, value)))
    }
    return writes
  }
}

function merge(table: TaskTable, key: KeyEntry, partial: ReadPartial): void {
  const cell = table.windows.cell(partial.start, key)
  if (partial.reset) {
    cell.states = undefined
    cell.timestamp = Math.max(cell.timestamp, partial.timestamp)
  }
  if (partial.states !== undefined) table.program.program.merge(cell, partial.states, partial.timestamp)
  table.windows.touch(cell)
}
