import { MillraceError } from '../model/errors.js'
import type { RecordBatch } from '../model/record-batch.js'
import type { Store } from '../ports/store.js'
import type { StreamRecord } from '../topology/node.js'
import type { Outcome } from './accounting.js'
import { failedRecord } from './dead-letters.js'
import { finiteOrNull } from './lane-table.js'
import { closesPassed } from './marker-writer.js'
import type { TaskProgress } from './progress.js'
import type { SourceInput, SubTopologyProgram } from './sub-topology-program.js'
import { type Rest, Task } from './task.js'
import type { TaskEnvironment } from './task-environment.js'

/**
 * A task on a partition of a source topic. The partition is a lane: its time is the highest timestamp read from it, so it
 * depends on offsets alone (DESIGN section 4).
 */
export class SourceTask extends Task {
  protected readonly counts = true
  private laneTime = Number.NEGATIVE_INFINITY
  private atEnd = false
  private lastRecordAt: number

  constructor(
    program: SubTopologyProgram,
    private readonly source: SourceInput,
    partition: number,
    store: Store | undefined,
    environment: TaskEnvironment,
  ) {
    super(program, partition, store, environment)
    this.lastRecordAt = environment.now()
  }

  /** Behind a table, time follows the wall clock while the partition is idle, as the table's windows do. */
  timeAt(now: number, lag: number): number {
    if (lag === 0) return this.laneTime
    return Math.max(this.stage.streamTime, this.idleClock(now) ?? Number.NEGATIVE_INFINITY) - lag
  }

  override reachedEnd(): void {
    this.atEnd = true
  }

  /** Judged as of the last poll: what arrived while the process was busy, restoring for example, was not seen yet. */
  idleClock(now: number): number | null {
    const { idleAfter, polledAt } = this.environment
    const seen = Math.min(now, polledAt())
    return this.atEnd && seen - this.lastRecordAt >= idleAfter ? seen - idleAfter : null
  }

  override restore(progress: TaskProgress): void {
    super.restore(progress)
    this.laneTime = progress.laneTime ?? Number.NEGATIVE_INFINITY
  }

  progress(): TaskProgress {
    return {
      nextOffset: this.nextOffset,
      laneTime: finiteOrNull(this.laneTime),
      streamTime: finiteOrNull(this.stage.streamTime),
      lanes: null,
      accounting: this.accounting,
      lateAfterIdle: this.lateAfterIdle,
    }
  }

  async process(batch: RecordBatch, from = 0): Promise<Rest | undefined> {
    if (batch.count === 0) return undefined
    const now = this.environment.now()
    this.atEnd = false
    this.lastRecordAt = now
    for (let i = from; i < batch.count; i++) {
      const record = this.decode(batch, i, now)
      if (typeof record === 'number') {
        if (i > from) await this.finish(batch, i)
        return { batch, from: i, missing: record, prepare: () => this.source.prepare(record) }
      }
      this.accounting.read++
      if (typeof record === 'string') this.accounting[record]++
      else this.take(batch, i, record)
    }
    await this.finish(batch, batch.count)
    return undefined
  }

  /** The record at `index`, the outcome of one that goes no further, or the id of a writer schema that is to be fetched first. */
  private decode(batch: RecordBatch, index: number, now: number): StreamRecord | Outcome | number {
    try {
      const record = this.source.read(batch, index)
      if (typeof record === 'number') return record
      if (record.timestamp > now + this.environment.maxAhead) throw tooFarAhead(record.timestamp, now)
      if (record.value !== null || !this.source.skipsNull) return record
      this.moveLane(record.timestamp)
      return 'skipped'
    } catch (thrown) {
      if (!(thrown instanceof MillraceError)) throw thrown
      return this.environment.deadLetters.handle(failedRecord(batch, index), this.program.label, thrown)
    }
  }

  private take(batch: RecordBatch, index: number, record: StreamRecord): void {
    const { context } = this
    context.begin()
    context.laneTime = Math.max(this.laneTime, record.timestamp)
    context.place(batch.topic, batch.partition, batch.offsets[index] as number, record.timestamp)
    this.run(batch, index, record)
    // What is dropped for want of a key leaves the lane's time untouched.
    if (!context.keyless || context.reached || context.refused > 0) this.moveLane(record.timestamp)
  }

  private moveLane(timestamp: number): void {
    if (timestamp <= this.laneTime) return
    const { stage } = this
    this.laneTime = timestamp
    if (stage.isEmpty || timestamp <= stage.streamTime) return
    const before = stage.streamTime
    stage.streamTime = timestamp
    for (const { program } of stage.all) {
      if (closesPassed(program.window, timestamp) > closesPassed(program.window, before)) {
        stage.push({ kind: 'close', time: timestamp })
        return
      }
    }
  }
}

function tooFarAhead(timestamp: number, now: number): MillraceError {
  const lead = Math.round((timestamp - now) / 1000)
  return new MillraceError(
    'INVALID_TIMESTAMP',
    `Its timestamp ${timestamp} lies ${lead} seconds ahead of the clock. Mend the producer's clock or unit (ms since 1970), or raise maxAhead of the topology.`,
  )
}
