import { MillraceError, messageOf } from '../model/errors.js'
import { keyBytesAt, type RecordBatch, valueBytesAt } from '../model/record-batch.js'
import type { Histogram } from '../ports/metrics.js'
import type { Warehouse, WarehouseSink } from '../ports/warehouse.js'
import { type DeadLetters, type FailedRecord, failedRecord } from './dead-letters.js'
import { FlushPace } from './flush-pace.js'
import { Freshness, newestEventTime } from './freshness.js'
import { PendingRows, RememberedRows } from './pending-rows.js'
import { RetryDelay } from './retry-delay.js'
import { rowChanges } from './row-changes.js'
import type { SessionTurns } from './session-turns.js'
import { SinkRebuild } from './sink-rebuild.js'
import type { RowsProgram } from './sub-topology-program.js'

/** Rows of one flush at the most: more are flushed at once. */
const FLUSH_ROWS = 20_000

/** A tombstone lives this long in a compacted topic (`delete.retention.ms`, Kafka's default), in ms. */
export const TOMBSTONE_RETENTION = 24 * 3_600_000

/**
 * One partition of a rows topic on its way into the warehouse: coalesces by key, drops what did not change, and flushes
 * by freshness or size (DESIGN section 6). Flushes run beside the reading; where to read on comes from the warehouse.
 */
export class SinkTask {
  readonly name: string
  /** Offset behind the last record read. */
  nextOffset = 0
  /** Dead letters that wait for the process' next commit; nothing is flushed before. */
  private letters: { readonly record: FailedRecord; readonly reason: string }[] = []
  /** Since this process opened the sink. */
  readonly flushed = { flushes: 0, failures: 0, upserts: 0, deletes: 0, unchanged: 0 }
  readonly freshness = new Freshness()
  private readonly pace: FlushPace
  private pending = new PendingRows()
  /** Bytes of the rows of the flush that is under way. */
  private flushingBytes = 0
  private pendingSince = Number.POSITIVE_INFINITY
  private readonly remembered = new RememberedRows()
  /** Bytes that remembered rows may take; the set of sinks shares out the memory. */
  rememberedAtMost = Number.POSITIVE_INFINITY
  private givenUp = false
  private sink: WarehouseSink | undefined
  private flushing: Promise<void> | undefined
  private fault: unknown
  private flushedOffset = 0
  private lastFlushAt = 0
  private readonly retry = new RetryDelay()
  private rebuild: SinkRebuild | undefined

  constructor(
    readonly program: RowsProgram,
    readonly partition: number,
    private readonly warehouse: Warehouse,
    /** The session by which it writes. */
    private readonly turns: SessionTurns,
    private readonly deadLetters: DeadLetters,
    private readonly warn: (message: string) => void,
    private readonly now: () => number,
    /** Seconds of each flush. */
    private readonly flushDuration: Histogram,
  ) {
    this.name = `${program.topic}/${partition}`
    this.pace = new FlushPace(program.freshness)
  }

  /** Whether it is time to try to open it. */
  mayOpen(now: number): boolean {
    return this.retry.over(now)
  }

  /** Takes ownership in the warehouse. The answer is where to read on; undefined while the warehouse is out of reach. */
  async open(now: number, high: number): Promise<number | undefined> {
    try {
      this.sink = await this.turns.take(now, () => this.openSink(now, high))
    } catch (thrown) {
      if (thrown instanceof MillraceError && thrown.code === 'WAREHOUSE_TABLE') throw thrown
      this.failed(now, thrown)
      return undefined
    }
    if (this.sink === undefined) return undefined
    this.retry.succeeded()
    this.lastFlushAt = now
    if (this.sink.rebuild) {
      this.warn(
        `${this.name} is read from its start, and rows of ${this.program.table.name} that it does not hold are deleted.`,
      )
      this.rebuild = new SinkRebuild(this.program, this.partition, high)
    }
    this.nextOffset = this.sink.nextOffset
    this.flushedOffset = this.sink.nextOffset
    return this.nextOffset
  }

  private async openSink(now: number, high: number): Promise<WarehouseSink | undefined> {
    if (this.givenUp) return undefined
    await this.warehouse.prepare(this.program.table)
    // A sink that was given up meanwhile is not to be taken from its next owner.
    if (this.givenUp) return undefined
    return this.warehouse.openSink({
      sink: this.program.topic,
      partition: this.partition,
      table: this.program.table,
      topicId: this.program.topicId,
      logEnd: high,
      tombstoneRetentionMs: TOMBSTONE_RETENTION,
      now,
    })
  }

  /** Something of it is to be committed. */
  get changed(): boolean {
    return this.letters.length > 0
  }

  /**
   * Applies the error policy to rows that the warehouse cannot hold. They stay here until `committed`, so that an
   * aborted transaction loses none.
   */
  sendDeadLetters(): void {
    for (const { record, reason } of this.letters) {
      const thrown = new MillraceError('UNSTORABLE', reason)
      this.deadLetters.handle(record, `to-warehouse "${this.program.table.name}"`, thrown)
    }
  }

  committed(): void {
    this.letters = []
  }

  get flushedRows(): number {
    return this.flushed.upserts + this.flushed.deletes
  }

  /** Rows that wait for their flush. */
  get pendingRows(): number {
    return this.pending.size
  }

  /** Estimate of the memory that rows take which are not in the warehouse yet, in bytes. */
  get heldBytes(): number {
    return this.pending.bytes + this.flushingBytes
  }

  process(batch: RecordBatch, now: number): void {
    for (let i = 0; i < batch.count; i++) {
      const key = keyBytesAt(batch, i)
      const value = valueBytesAt(batch, i)
      if (key === null) continue
      this.take(key.toString('latin1'), key, value, batch, i, now)
    }
    if (this.pending.size > 0 && this.freshness.idle) this.freshness.arrived(newestEventTime(batch))
    this.nextOffset = (batch.offsets[batch.count - 1] as number) + 1
  }

  private take(id: string, key: Buffer, value: Buffer | null, batch: RecordBatch, index: number, now: number): void {
    this.rebuild?.saw(id)
    if (!this.pending.has(id) && value !== null && this.remembered.has(id, value)) {
      this.flushed.unchanged++
      return
    }
    const reason =
      value === null ? undefined : this.warehouse.unstorable(this.program.table, this.program.row(key, value))
    if (reason !== undefined) {
      this.letters.push({ record: failedRecord(batch, index), reason })
      return
    }
    if (this.pending.size === 0) this.pendingSince = now
    this.pending.put(id, { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) })
  }

  /** Notes that the partition was read to its end, which may lie behind records that nobody sees. */
  reachedEnd(offset: number): void {
    this.nextOffset = Math.max(this.nextOffset, offset)
  }

  /** Whether a flush should start: by freshness, by size, or because everything is to be out (`drain`). */
  private due(now: number, drain: boolean): boolean {
    if (this.sink === undefined || this.flushing !== undefined || this.changed || !this.retry.over(now)) return false
    if (this.pending.size >= FLUSH_ROWS || this.rebuild?.ending) return true
    if (drain) return this.pending.size > 0 || this.nextOffset !== this.flushedOffset
    if (this.pending.size > 0) return now - this.pendingSince >= this.flushInterval(now)
    return now - this.lastFlushAt >= TOMBSTONE_RETENTION / 4
  }

  /** Time in ms from a row's arrival to the flush that carries it, as things are. */
  flushInterval(now: number): number {
    return this.pace.interval(this.turns.pressure.factor(now))
  }

  /**
   * Asks for the session when a flush is due and does not wait for it.
   * @throws MillraceError WAREHOUSE_FENCED when another worker took the sink over.
   */
  async tick(now: number, drain = false): Promise<void> {
    if (this.fault !== undefined) throw this.fault
    const unseen = this.unseenDue && this.flushing === undefined && this.retry.over(now)
    if (!unseen && !this.due(now, drain)) return
    const deadline = Math.min(now, this.pendingSince) + this.pace.freshness
    const turn = this.turns.take(deadline, () => (unseen ? this.deleteUnseen() : this.run()))
    const failed = (thrown: unknown) => {
      this.fault = thrown
    }
    this.flushing = turn.catch(failed).finally(() => {
      this.flushing = undefined
      this.flushingBytes = 0
    })
  }

  /** All rows of a rebuild were read, and those that were not among them are still to be deleted. */
  private get unseenDue(): boolean {
    return this.rebuild?.scanDue(this.nextOffset) === true && this.sink !== undefined
  }

  /** A flush of what waits now that its turn came. */
  private async run(): Promise<void> {
    if (this.givenUp || this.changed) return
    const now = this.now()
    const rows = this.pending
    const endsRebuild = this.rebuild?.ending === true
    const flush = { ...rowChanges(rows, this.program), nextOffset: this.nextOffset, asOf: now, endsRebuild }
    this.pending = new PendingRows()
    this.flushingBytes = rows.bytes
    this.pendingSince = Number.POSITIVE_INFINITY
    this.freshness.taken()
    // What a running flush carries counts as flushed: if it fails, its rows are pending again.
    this.remembered.add(rows, this.rememberedAtMost)
    try {
      await this.sink!.flush(flush).finally(() => this.took(this.now() - now))
    } catch (thrown) {
      if (thrown instanceof MillraceError && thrown.code === 'WAREHOUSE_FENCED') {
        this.fault = thrown
        return
      }
      this.failed(now, thrown)
      this.turns.pressure.failed()
      this.flushed.failures++
      this.freshness.failed()
      // What arrived meanwhile is newer than what could not be flushed.
      rows.putAll(this.pending)
      this.pending = rows
      this.pendingSince = now
      return
    }
    this.retry.succeeded()
    if (flush.endsRebuild) this.rebuild = undefined
    this.lastFlushAt = now
    this.flushedOffset = flush.nextOffset
    this.freshness.flushed(this.now())
    this.flushed.flushes++
    this.flushed.upserts += flush.upserts.length + flush.closed.length
    this.flushed.deletes += flush.deletes.length
  }

  private took(milliseconds: number): void {
    this.pace.flushed(milliseconds)
    this.flushDuration.observe(milliseconds / 1_000)
  }

  private failed(now: number, thrown: unknown): void {
    const delay = this.retry.failed(now)
    this.warn(
      `${this.warehouse.name} refused rows of ${this.name} (${messageOf(thrown)}). They are kept and tried again in ${delay} ms.`,
    )
  }

  /** The end of a rebuild: rows of this partition that the topic does not hold are deleted. */
  private async deleteUnseen(): Promise<void> {
    if (this.rebuild === undefined || this.givenUp) return
    try {
      const unseen = await this.rebuild.unseen(this.sink!)
      if (this.pending.size === 0) this.pendingSince = this.now()
      for (const [id, row] of unseen) this.pending.put(id, row)
    } catch (thrown) {
      this.failed(this.now(), thrown)
    }
  }

  /** Waits for a running flush. */
  async settled(): Promise<void> {
    await this.flushing
    if (this.fault !== undefined) throw this.fault
  }

  /** Whether everything read is in the warehouse. */
  get drained(): boolean {
    const idle = this.pending.size === 0 && this.flushing === undefined && !this.unseenDue && !this.rebuild?.ending
    return idle && this.flushedOffset === this.nextOffset
  }

  /** Says that it is not to be opened any more. */
  giveUp(): void {
    this.givenUp = true
  }

  async close(): Promise<void> {
    await this.flushing
    await this.sink?.close()
  }
}
