import type { MillraceError } from '../model/errors.js'
import { keyBytesAt, type RecordBatch } from '../model/record-batch.js'
import type { Store } from '../ports/store.js'
import { decodePartial } from './combiner.js'
import { Format, fingerprintAt, HEADER_BYTES, unknownFormat } from './internal-value.js'
import { finiteOrNull, LaneTable } from './lane-table.js'
import { decodeMarker } from './marker-writer.js'
import type { TaskProgress } from './progress.js'
import { decodeEnvelope } from './repartition-writer.js'
import type { RepartitionInput, SubTopologyProgram } from './sub-topology-program.js'
import { Task } from './task.js'
import type { TaskEnvironment } from './task-environment.js'

/**
 * A task behind a repartition: merges partials, takes raw records, and moves its stream time by lane markers alone.
 * Lateness was judged at the lane; a window that is closed here refuses only what a lane sent after it had been idle.
 */
export class RepartitionTask extends Task {
  protected readonly counts = false
  private readonly lanes = new LaneTable()

  constructor(
    program: SubTopologyProgram,
    private readonly source: RepartitionInput,
    partition: number,
    store: Store | undefined,
    environment: TaskEnvironment,
  ) {
    super(program, partition, store, environment)
  }

  /** Behind a second repartition this task is the lane: windows up to here were sent (DESIGN section 4). */
  timeAt(_now: number, lag: number): number {
    return this.stage.streamTime - lag
  }

  idleClock(): null {
    return null
  }

  override restore(progress: TaskProgress): void {
    super.restore(progress)
    if (progress.lanes) this.lanes.restore(progress.lanes)
  }

  progress(): TaskProgress {
    return {
      nextOffset: this.nextOffset,
      laneTime: null,
      streamTime: finiteOrNull(this.stage.streamTime),
      lanes: this.lanes.image(),
      accounting: this.accounting,
      lateAfterIdle: this.lateAfterIdle,
    }
  }

  async process(batch: RecordBatch): Promise<undefined> {
    if (batch.count === 0) return
    const { data } = batch
    for (let i = 0; i < batch.count; i++) {
      const start = batch.valueStart[i] as number
      const end = start + (batch.valueLength[i] as number)
      switch (data[start]) {
        case Format.marker:
          this.readMarker(data, start, end)
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
    await this.finish(batch, batch.count)
  }

  private unknown(data: Buffer, start: number): MillraceError {
    return unknownFormat(`The repartition topic of "${this.program.name}"`, data[start], fingerprintAt(data, start))
  }

  private readMarker(data: Buffer, start: number, end: number): void {
    if (fingerprintAt(data, start) !== this.program.markerFingerprint) throw this.unknown(data, start)
    if (!this.lanes.apply(decodeMarker(data.toString('utf8', start + HEADER_BYTES, end)))) return
    this.stage.streamTime = this.lanes.streamTime
    this.stage.push({ kind: 'close', time: this.stage.streamTime })
  }

  private readPartial(batch: RecordBatch, index: number, start: number, end: number): void {
    const fingerprint = fingerprintAt(batch.data, start)
    const node = this.source.aggregateOf(fingerprint)
    const table = node && this.stage.table(node)
    const decode = table?.windows.decoder(fingerprint)
    if (table === undefined || decode === undefined) throw this.unknown(batch.data, start)
    const partial = decodePartial(batch.data, start, end, decode)
    if (table.windows.closeTime(partial.start) <= this.stage.streamTime) {
      this.lateAfterIdle += partial.records
      return
    }
    const key = table.program.keys.ofBytes(keyBytesAt(batch, index) as Buffer)
    table.windows.want(partial.start, key)
    this.stage.push({ kind: 'partial', table, key, partial })
  }

  private readRaw(batch: RecordBatch, index: number, start: number, end: number): void {
    const decode = this.source.rawDecoder(fingerprintAt(batch.data, start))
    if (decode === undefined) throw this.unknown(batch.data, start)
    const { envelope, valueStart } = decodeEnvelope(batch.data, start)
    const { context } = this
    const { timestamp } = envelope
    context.begin()
    context.laneTime = envelope.laneTime
    context.place(this.source.laneTopic, envelope.lane, envelope.offset, timestamp)
    context.position.index = envelope.index
    const key = this.source.keys.ofBytes(keyBytesAt(batch, index) as Buffer).columns
    const value = valueStart < 0 ? null : decode(batch.data, valueStart, end)
    this.run(batch, index, { key, value, timestamp })
  }
}
