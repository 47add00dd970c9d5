import type { Subject } from 'rxjs'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError } from '../model/errors.js'
import { keyBytesAt, type RecordBatch, valueBytesAt } from '../model/record-batch.js'
import type { Store, StoreWrite } from '../ports/store.js'
import type { Node, StreamRecord } from '../topology/node.js'
import { type Accounting, noAccounting, type Outcome } from './accounting.js'
import { TableTarget } from './accumulating.js'
import { decodePartial, type ReadPartial } from './combiner.js'
import { compile, type Terminal } from './compile.js'
import type { DeadLetters, FailedRecord } from './dead-letters.js'
import { Format, fingerprintAt, HEADER_BYTES, unknownFormat } from './internal-value.js'
import type { KeyEntry } from './key-codec.js'
import { finiteOrNull, LaneTable } from './lane-table.js'
import { closesPassed, decodeMarker, type LaneState } from './marker-writer.js'
import type { TaskProgress } from './progress.js'
import { RecordEffects } from './record-effects.js'
import { decodeEnvelope } from './repartition-writer.js'
import type { AggregateProgram, SubTopologyProgram } from './sub-topology-program.js'
import { TaskContext } from './task-context.js'
import { enterWindows } from './window-entry.js'
import { rowKey } from './window-rows.js'
import { type Cell, WindowTable } from './window-table.js'

/** One aggregate in one task. */
interface TaskTable {
  readonly program: AggregateProgram
  readonly windows: WindowTable
  readonly rows: Subject<StreamRecord>
}

/** What a batch asks of the windows once their cells are in memory, in the order of the log. */
type Step =
  | { readonly kind: 'record'; readonly index: number; readonly to: number; readonly entered: Entered }
  | { readonly kind: 'partial'; readonly table: TaskTable; readonly key: KeyEntry; readonly partial: ReadPartial }
  | { readonly kind: 'close'; readonly time: number }

/** What the context knew of a record when its pipe had run. */
interface Entered {
  readonly reached: boolean
  readonly refused: number
  readonly keyless: boolean
}

/** What the tasks of a process share. */
export interface TaskEnvironment {
  readonly deadLetters: DeadLetters
  readonly idleAfter: number
  readonly maxAhead: number
  readonly now: () => number
  readonly warn: (message: string) => void
  readonly schemaOf: (fingerprint: string) => AvroSchema | undefined
}

/**
 * A sub-topology on one partition of its input: reads batches, keeps windows, and owns the partition's lane.
 *
 * A batch runs in two passes. The first pushes each record through its pipe and notes its effects, without waiting. Where
 * windows live in this task, their cells are then fetched in one look-up, and the second pass applies effects and closes
 * windows in the order of the log.
 */
export class Task implements LaneState {
  readonly name: string
  nextOffset = 0
  accounting: Accounting = noAccounting()
  lateAfterIdle = 0
  /** Something is to be committed. */
  changed = true
  readonly lanes = new LaneTable()
  private laneTime = Number.NEGATIVE_INFINITY
  private streamTime = Number.NEGATIVE_INFINITY
  private atEnd = false
  private lastRecordAt: number
  private readonly context = new TaskContext()
  private readonly emission = new RecordEffects()
  private readonly tables = new Map<Node, TaskTable>()
  private readonly input: Subject<StreamRecord>
  private readonly effects: RecordEffects
  private steps: Step[] = []

  constructor(
    readonly program: SubTopologyProgram,
    readonly partition: number,
    readonly store: Store | undefined,
    private readonly environment: TaskEnvironment,
  ) {
    this.name = `${program.name}/${partition}`
    this.effects = this.context.effects
    this.lastRecordAt = environment.now()
    const pipeline = compile(
      [program.sub.source, ...program.sub.nodes, ...program.sub.outputs],
      program.sub.source,
      this.context,
      node => this.terminal(node),
    )
    this.input = pipeline.get(program.sub.source)!
    for (const aggregate of program.aggregates.values()) {
      this.tables.set(aggregate.node, {
        program: aggregate,
        windows: this.windowsOf(aggregate),
        rows: pipeline.get(aggregate.node)!,
      })
    }
  }

  private readonly windows = new Map<Node, WindowTable>()

  private windowsOf(aggregate: AggregateProgram): WindowTable {
    const known = this.windows.get(aggregate.node)
    if (known) return known
    const { node, window, program, keys, fingerprint } = aggregate
    const { schemaOf } = this.environment
    const table = new WindowTable(node.name, window, program, keys, fingerprint, schemaOf, this.store!)
    this.windows.set(node, table)
    return table
  }

  private terminal(node: Node): Terminal | undefined {
    const { context } = this
    const output = this.program.outputs.get(node)
    if (output) return record => output.accept(record, context)
    const aggregate = this.program.aggregates.get(node)
    if (aggregate === undefined || aggregate.combined) return undefined
    const windows = this.windowsOf(aggregate)
    const target = new TableTarget(windows)
    const want = (start: number, key: KeyEntry): void => windows.want(start, key)
    return record => {
      const key = aggregate.keys.ofRecord(record.key as never)
      if (key === undefined) context.keyless = true
      else enterWindows(context, node, aggregate.window, aggregate.program, target, key, record, this.streamTime, want)
    }
  }

  /** Where a lane's time stands: what no later record of it can be accepted before. */
  get time(): number {
    return this.program.input.kind === 'source' ? this.laneTime : this.streamTime - this.program.laneLag
  }

  get currentStreamTime(): number {
    return this.streamTime
  }

  get openWindows(): number {
    let open = 0
    for (const { windows } of this.tables.values()) open += windows.openWindows
    return open
  }

  /** Notes that the partition was read to its end. */
  reachedEnd(): void {
    this.atEnd = true
  }

  idleClock(now: number): number | null {
    if (this.program.input.kind !== 'source' || !this.atEnd) return null
    return now - this.lastRecordAt >= this.environment.idleAfter ? now - this.environment.idleAfter : null
  }

  restore(progress: TaskProgress): void {
    this.nextOffset = progress.nextOffset
    this.laneTime = progress.laneTime ?? Number.NEGATIVE_INFINITY
    this.streamTime = progress.streamTime ?? Number.NEGATIVE_INFINITY
    if (progress.lanes) this.lanes.restore(progress.lanes)
    this.accounting = { ...progress.accounting }
    this.lateAfterIdle = progress.lateAfterIdle
  }

  /** Reads what a restored store holds. */
  async open(): Promise<void> {
    for (const { windows } of this.tables.values()) await windows.open()
  }

  progress(): TaskProgress {
    const source = this.program.input.kind === 'source'
    return {
      nextOffset: this.nextOffset,
      laneTime: source ? finiteOrNull(this.laneTime) : null,
      streamTime: finiteOrNull(this.streamTime),
      lanes: source ? null : this.lanes.image(),
      accounting: this.accounting,
      lateAfterIdle: this.lateAfterIdle,
    }
  }

  async process(batch: RecordBatch): Promise<void> {
    if (batch.count === 0) return
    this.changed = true
    if (this.program.input.kind === 'source') {
      this.atEnd = false
      this.lastRecordAt = this.environment.now()
      await this.processSource(batch)
    } else {
      this.processRepartition(batch)
      await this.runSteps(batch)
    }
    this.nextOffset = (batch.offsets[batch.count - 1] as number) + 1
  }

  private async processSource(batch: RecordBatch): Promise<void> {
    const { input } = this.program
    if (input.kind !== 'source') return
    const deferred = this.tables.size > 0
    const latest = this.environment.now() + this.environment.maxAhead
    for (let i = 0; i < batch.count; i++) {
      this.accounting.read++
      const record = await this.decode(batch, i, latest)
      if (typeof record === 'string') this.accounting[record]++
      else this.runRecord(batch, i, record, deferred)
    }
    await this.runSteps(batch)
  }

  /** The record at `index`, or the outcome of one that goes no further. Waits only for writer schemas not seen before. */
  private async decode(batch: RecordBatch, index: number, latest: number): Promise<StreamRecord | Outcome> {
    const { input } = this.program
    if (input.kind !== 'source') throw new MillraceError('LOG', `${this.name} does not read a source topic.`)
    try {
      let record = input.read(batch, index)
      while (typeof record === 'number') {
        await input.prepare(record)
        record = input.read(batch, index)
      }
      if (record.timestamp > latest) throw tooFarAhead(record.timestamp, latest - this.environment.maxAhead)
      if (record.value === null && input.skipsNull) {
        this.moveLane(record.timestamp)
        return 'skipped'
      }
      return record
    } catch (thrown) {
      if (!(thrown instanceof MillraceError)) throw thrown
      return this.environment.deadLetters.handle(failedRecord(batch, index), this.program.label, thrown)
    }
  }

  private moveLane(timestamp: number): void {
    if (timestamp <= this.laneTime) return
    const before = this.laneTime
    this.laneTime = timestamp
    if (this.tables.size === 0 || timestamp <= this.streamTime) return
    const from = Math.max(before, this.streamTime)
    this.streamTime = timestamp
    for (const { program } of this.tables.values()) {
      if (closesPassed(program.window, timestamp) > closesPassed(program.window, from)) {
        this.steps.push({ kind: 'close', time: timestamp })
        return
      }
    }
  }

  private runRecord(batch: RecordBatch, index: number, record: StreamRecord, deferred: boolean): void {
    const { context, effects } = this
    const from = effects.length
    context.begin()
    context.laneTime = Math.max(this.laneTime, record.timestamp)
    this.place(batch.topic, batch.partition, batch.offsets[index] as number, record.timestamp)
    this.input.next(record)
    if (context.fault !== undefined) throw context.fault
    // What is dropped for want of a key leaves the lane's time untouched.
    const moves = !context.keyless || context.reached || context.refused > 0 || context.failure !== undefined
    this.settle(batch, index, from, deferred)
    if (moves) this.moveLane(record.timestamp)
  }

  private place(topic: string, partition: number, offset: number, timestamp: number): void {
    const { position } = this.context
    position.topic = topic
    position.partition = partition
    position.offset = offset
    position.timestamp = timestamp
  }

  /** Applies a record's effects and counts its outcome, now or, where windows must be fetched first, in the second pass. */
  private settle(batch: RecordBatch, index: number, from: number, deferred: boolean): void {
    const { context, effects } = this
    if (context.failure) {
      effects.truncate(from)
      const { node, thrown } = context.failure
      this.count(this.environment.deadLetters.handle(failedRecord(batch, index), labelOf(node), thrown))
      return
    }
    const { reached, refused, keyless } = context
    this.lateAfterIdle += context.refusedAfterIdle
    if (deferred) {
      this.steps.push({ kind: 'record', index, to: effects.length, entered: { reached, refused, keyless } })
      return
    }
    this.finish(batch, index, from, effects.length, { reached, refused, keyless })
    effects.truncate(from)
  }

  private finish(batch: RecordBatch, index: number, from: number, to: number, entered: Entered): void {
    try {
      this.effects.apply(from, to)
    } catch (thrown) {
      this.count(this.environment.deadLetters.handle(failedRecord(batch, index), this.program.label, thrown))
      return
    }
    this.accounting.refusedWindows += entered.refused
    if (entered.keyless) this.count('skipped')
    else if (entered.reached) this.count('aggregated')
    else if (entered.refused > 0) this.count('late')
    else this.count('filtered')
  }

  /** Work behind a repartition is not counted again. */
  private count(outcome: Outcome): void {
    if (this.program.input.kind === 'source') this.accounting[outcome]++
  }

  private processRepartition(batch: RecordBatch): void {
    const { data } = batch
    for (let i = 0; i < batch.count; i++) {
      const start = batch.valueStart[i] as number
      const end = start + (batch.valueLength[i] as number)
      switch (data[start]) {
        case Format.marker:
          if (fingerprintAt(data, start) !== this.program.markerFingerprint) throw this.unknown(data, start)
          if (this.lanes.apply(decodeMarker(data.toString('utf8', start + HEADER_BYTES, end)))) {
            this.streamTime = this.lanes.streamTime
            this.steps.push({ kind: 'close', time: this.streamTime })
          }
          break
        case Format.partial:
          this.readPartial(batch, i, start, end)
          break
        case Format.raw:
          this.readRaw(batch, i, start, end)
          break
        default:
          throw this.unknown(data, start)
      }
    }
  }

  private unknown(data: Buffer, start: number): MillraceError {
    return unknownFormat(`The repartition topic of "${this.program.label}"`, data[start], fingerprintAt(data, start))
  }

  private readPartial(batch: RecordBatch, index: number, start: number, end: number): void {
    const { input } = this.program
    const fingerprint = fingerprintAt(batch.data, start)
    const node = input.kind === 'repartition' ? input.aggregateOf(fingerprint) : undefined
    const table = node && this.tables.get(node)
    const decode = table?.windows.decoder(fingerprint)
    if (table === undefined || decode === undefined) throw this.unknown(batch.data, start)
    const partial = decodePartial(batch.data, start, end, decode)
    if (table.windows.closeTime(partial.start) <= this.streamTime) {
      this.lateAfterIdle += partial.records
      return
    }
    const key = table.program.keys.ofBytes(keyBytesAt(batch, index) as Buffer)
    table.windows.want(partial.start, key)
    this.steps.push({ kind: 'partial', table, key, partial })
  }

  private readRaw(batch: RecordBatch, index: number, start: number, end: number): void {
    const { input } = this.program
    const decode = input.kind === 'repartition' ? input.rawDecoder(fingerprintAt(batch.data, start)) : undefined
    if (input.kind !== 'repartition' || decode === undefined) throw this.unknown(batch.data, start)
    const { envelope, valueStart } = decodeEnvelope(batch.data, start)
    const { context, effects } = this
    const from = effects.length
    const timestamp = batch.timestamps[index] as number
    context.begin()
    context.laneTime = envelope.laneTime
    this.place(input.laneTopic, envelope.lane, envelope.offset, timestamp)
    context.position.index = envelope.index
    const key = input.keys.ofBytes(keyBytesAt(batch, index) as Buffer)
    const value = valueStart < 0 ? null : decode(batch.data, valueStart, end)
    this.input.next({ key: key.columns, value, timestamp })
    if (context.fault !== undefined) throw context.fault
    this.settle(batch, index, from, true)
  }

  /** The second pass. */
  private async runSteps(batch: RecordBatch): Promise<void> {
    const { steps, effects } = this
    for (const { windows } of this.tables.values()) if (windows.loading) await windows.load()
    let from = 0
    for (const step of steps) {
      switch (step.kind) {
        case 'record':
          this.finish(batch, step.index, from, step.to, step.entered)
          from = step.to
          break
        case 'partial':
          merge(step.table, step.key, step.partial)
          break
        case 'close':
          await this.closeWindows(step.time)
          break
        default:
          step satisfies never
      }
    }
    effects.clear()
    steps.length = 0
  }

  private async closeWindows(time: number): Promise<void> {
    for (const table of this.tables.values()) {
      if (!table.windows.closes(time)) continue
      const final = table.program.node.emit === 'final'
      for (const cell of await table.windows.close(time, final ? 'all' : 'changed')) {
        if (!final || cell.states !== undefined) this.emit(table, cell)
      }
    }
  }

  /** Whether the wall clock closes windows here: the lane is idle, and its partition is the task's own (DESIGN section 4). */
  idleCloseDue(now: number): boolean {
    const clock = this.idleClock(now)
    if (clock === null || clock <= this.streamTime) return false
    for (const { windows } of this.tables.values()) if (windows.closes(clock)) return true
    return false
  }

  /** Lets stream time follow the wall clock while the lane is idle. */
  async closeIdle(now: number): Promise<void> {
    if (!this.idleCloseDue(now)) return
    this.streamTime = this.idleClock(now) as number
    this.changed = true
    await this.closeWindows(this.streamTime)
  }

  /** Emits the rows of changed windows, at commit. */
  emitUpdates(): void {
    for (const table of this.tables.values()) {
      if (table.program.node.emit === 'final') continue
      for (const cell of table.windows.changed) this.emit(table, cell)
    }
  }

  private emit(table: TaskTable, cell: Cell): void {
    const { context, emission } = this
    const { node, program, window } = table.program
    context.begin()
    context.effects = emission
    context.laneTime = cell.start
    this.place(node.name, this.partition, cell.start, cell.timestamp)
    const value = cell.states === undefined ? null : program.row(cell.states, message => this.environment.warn(message))
    try {
      table.rows.next({ key: rowKey(cell.key.columns, window, cell.start), value, timestamp: cell.timestamp })
      if (context.fault !== undefined) throw context.fault
      if (context.failure) this.emissionFailed(cell, context.failure.node, context.failure.thrown)
      else emission.apply(0, emission.length)
    } finally {
      emission.clear()
      context.effects = this.effects
    }
  }

  private emissionFailed(cell: Cell, node: Node, thrown: unknown): void {
    const { deadLetters } = this.environment
    const record = {
      topic: this.name,
      partition: this.partition,
      offset: -1,
      timestamp: cell.timestamp,
      key: cell.key.bytes,
      value: null,
      headers: [],
    }
    deadLetters.handle(record, labelOf(node), thrown)
  }

  /** Changes of all stores since the last commit: changelog records to `log`, the batch for the store as the answer. */
  changes(log: (aggregate: AggregateProgram, key: Buffer, value: Buffer | null) => void): StoreWrite[] {
    const writes: StoreWrite[] = []
    for (const { program, windows } of this.tables.values()) {
      writes.push(...windows.changes((key, value) => log(program, key, value)))
    }
    return writes
  }

  /** Called when transaction and store batch went through. */
  committed(): void {
    this.changed = false
    for (const { windows } of this.tables.values()) windows.committed()
  }

  /** The window table of an aggregate, for restore and queries. */
  table(node: Node): WindowTable | undefined {
    return this.windows.get(node)
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

function failedRecord(batch: RecordBatch, index: number): FailedRecord {
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offsets[index] as number,
    timestamp: batch.timestamps[index] as number,
    key: keyBytesAt(batch, index),
    value: valueBytesAt(batch, index),
    headers: batch.headers(index),
  }
}

function labelOf(node: Node): string {
  switch (node.kind) {
    case 'source':
    case 'to-topic':
      return `${node.kind} "${node.topic}"`
    case 'to-warehouse':
      return `${node.kind} "${node.table}"`
    default:
      return 'name' in node && node.name !== undefined ? `${node.kind} "${node.name}"` : node.kind
  }
}

function tooFarAhead(timestamp: number, now: number): MillraceError {
  const lead = Math.round((timestamp - now) / 1000)
  return new MillraceError(
    'INVALID_TIMESTAMP',
    `Its timestamp ${timestamp} lies ${lead} seconds ahead of the clock. Mend the producer's clock or unit (ms since 1970), or raise maxAhead of the topology.`,
  )
}
