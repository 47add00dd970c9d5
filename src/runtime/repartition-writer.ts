import type { LogProducer } from '../ports/log.js'
import { compileInput } from '../topology/field-input.js'
import type { RepartitionNode, StreamRecord, WindowSpec } from '../topology/node.js'
import { CombinerTarget } from './accumulating.js'
import type { Combiner } from './combiner.js'
import { Format, HEADER_BYTES, headerOf } from './internal-value.js'
import type { KeyCodec, KeyEntry, KeyRecord } from './key-codec.js'
import { encodeMarker, type MarkerWriter } from './marker-writer.js'
import type { Effect, EffectTarget } from './record-effects.js'
import type { TaskContext } from './task-context.js'
import { enterWindows, refusedByAll } from './window-entry.js'

/** The raw path: records go through one by one, for readers that cannot be combined. */
export interface RawPath {
  readonly fingerprint: Buffer
  encode(value: unknown): Buffer
  /** Windows of all readers, where each reader is a window: what all of them refuse is not sent. */
  readonly windows: readonly WindowSpec[] | undefined
}

/** Bytes between the header of a raw record and its value: null flag, lane, lane time, offset, index, timestamp. */
const ENVELOPE_BYTES = 1 + 4 + 8 + 8 + 4 + 8

/** What a raw record brings with it: its lane, and the lane's time when it was read, which judge it downstream. */
export interface Envelope {
  readonly lane: number
  readonly laneTime: number
  readonly offset: number
  readonly index: number
  /** Event time: the record in the repartition topic has the time when it was sent. */
  readonly timestamp: number
}

/**
 * One process' way into one repartition topic: partials of the aggregates that combine, raw records for the others, and
 * the markers of the process' lanes behind them.
 */
export class RepartitionWriter implements EffectTarget {
  private readonly targets: { readonly combiner: Combiner; readonly target: CombinerTarget }[]
  private readonly readKey: (record: StreamRecord) => KeyEntry | undefined
  private readonly rawHeader: Buffer | undefined
  private readonly markerHeader: Buffer

  constructor(
    private readonly node: RepartitionNode,
    readonly topic: string,
    private readonly partitions: number,
    keys: KeyCodec,
    private readonly combiners: readonly Combiner[],
    private readonly raw: RawPath | undefined,
    readonly markers: MarkerWriter,
    fingerprint: Buffer,
    private readonly producer: LogProducer,
    private readonly now: () => number,
  ) {
    this.targets = combiners.map(combiner => ({ combiner, target: new CombinerTarget(combiner) }))
    this.readKey = keyReader(node, keys)
    this.rawHeader = raw && headerOf(Format.raw, raw.fingerprint)
    this.markerHeader = headerOf(Format.marker, fingerprint)
  }

  /** Takes one record of the stream that is repartitioned. */
  accept(record: StreamRecord, context: TaskContext): void {
    let key: KeyEntry | undefined
    try {
      key = this.readKey(record)
    } catch (thrown) {
      context.fail(this.node, thrown)
      return
    }
    if (key === undefined) {
      context.keyless = true
      return
    }
    for (const { combiner, target } of this.targets) {
      const { window, program } = combiner
      enterWindows(context, this.node, window, program, target, key, record, Number.NEGATIVE_INFINITY)
    }
    if (this.raw) this.acceptRaw(this.raw, key, record, context)
  }

  private acceptRaw(raw: RawPath, key: KeyEntry, record: StreamRecord, context: TaskContext): void {
    if (raw.windows) {
      let refused = 0
      for (const window of raw.windows) {
        const count = refusedByAll(window, record.timestamp, context.laneTime)
        if (count === undefined) refused = Number.NaN
        else refused += count
      }
      if (!Number.isNaN(refused)) {
        context.refused += refused
        return
      }
    }
    const index = context.position.index++
    try {
      const value = record.value === null ? undefined : raw.encode(record.value)
      const effect = context.effects.next(this)
      effect.key = key
      effect.timestamp = record.timestamp
      effect.value = this.envelope(value, context, index, record.timestamp)
    } catch (thrown) {
      context.fail(this.node, thrown)
      return
    }
    context.reached = true
  }

  private envelope(value: Buffer | undefined, context: TaskContext, index: number, timestamp: number): Buffer {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + ENVELOPE_BYTES + (value?.length ?? 0))
    ;(this.rawHeader as Buffer).copy(bytes, 0)
    bytes[HEADER_BYTES] = value === undefined ? 1 : 0
    bytes.writeInt32BE(context.position.partition, HEADER_BYTES + 1)
    bytes.writeDoubleBE(context.laneTime, HEADER_BYTES + 5)
    bytes.writeDoubleBE(context.position.offset, HEADER_BYTES + 13)
    bytes.writeInt32BE(index, HEADER_BYTES + 21)
    bytes.writeDoubleBE(timestamp, HEADER_BYTES + 25)
    value?.copy(bytes, HEADER_BYTES + ENVELOPE_BYTES)
    return bytes
  }

  apply(effect: Effect): void {
    this.send(effect.key, effect.value as Buffer)
  }

  /**
   * Event time is in the value: Kafka deletes by a record's timestamp, and would delete a catch-up through old events
   * before it is read.
   */
  private send(key: KeyEntry, value: Buffer): void {
    this.producer.send(this.topic, key.partition(this.partitions), key.bytes, value, this.now())
  }

  /** Entries held back until the next commit. */
  get held(): number {
    let held = 0
    for (const combiner of this.combiners) held += combiner.size
    return held
  }

  /** Estimate of the memory that they take, in bytes. */
  get heldBytes(): number {
    let bytes = 0
    for (const combiner of this.combiners) bytes += combiner.heldBytes
    return bytes
  }

  /** Forgets what is held, after an aborted transaction. */
  clear(): void {
    for (const combiner of this.combiners) combiner.clear()
  }

  /**
   * Sends what is held, then, when it is due, the marker of all lanes to every partition: a marker stands behind every
   * partial and raw record of its transaction (DESIGN section 4).
   */
  flush(now: number): void {
    for (const combiner of this.combiners) {
      combiner.flush((key, value) => this.send(key, value))
    }
    if (!this.markers.due(now)) return
    const marker = encodeMarker(this.markerHeader, this.markers.take(now))
    for (let p = 0; p < this.partitions; p++) this.producer.send(this.topic, p, null, marker, this.now())
  }
}

function keyReader(node: RepartitionNode, keys: KeyCodec): (record: StreamRecord) => KeyEntry | undefined {
  if (node.by.length === 0) return ({ key }) => keys.ofRecord(key as KeyRecord | null)
  const columns = node.by.map(column => ({ name: column.name, read: compileInput(column.input) }))
  if (columns.length === 1 && keys.columns[0]!.type === 'text') {
    const { name, read } = columns[0]!
    return ({ value }) => {
      if (value === null) return undefined
      const text = read(value)
      return typeof text === 'string' ? keys.ofText(text) : keys.ofRecord({ [name]: text })
    }
  }
  return ({ value }) => {
    if (value === null) return undefined
    const key: Record<string, unknown> = {}
    for (const { name, read } of columns) key[name] = read(value)
    return keys.ofRecord(key as KeyRecord)
  }
}

/** Reads the envelope of the raw record at `start`, and where its value begins: -1 for a null value. */
export function decodeEnvelope(data: Buffer, start: number): { envelope: Envelope; valueStart: number } {
  const at = start + HEADER_BYTES
  return {
    envelope: {
      lane: data.readInt32BE(at + 1),
      laneTime: data.readDoubleBE(at + 5),
      offset: data.readDoubleBE(at + 13),
      index: data.readInt32BE(at + 21),
      timestamp: data.readDoubleBE(at + 25),
    },
    valueStart: data[at] === 1 ? -1 : at + ENVELOPE_BYTES,
  }
}
