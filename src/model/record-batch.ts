/** Header of a record. Values are text: binary values come back altered from node-rdkafka, so put nothing binary in them. */
export type Header = readonly [name: string, value: string]

/** Length that stands for a null key or value. */
const NULL = -1

/**
 * Records of one partition in offset order, packed: one buffer and typed indexes, no object a record.
 *
 * `keyStart[i]`, `keyLength[i]` (-1 = null), `valueStart[i]`, `valueLength[i]` (-1 = null) point into `data`.
 * Offsets and timestamps (ms since 1970) are doubles, exact up to 2^53. `data` may hold bytes of other records too.
 */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  readonly count: number
  readonly data: Buffer
  readonly offsets: Float64Array
  readonly timestamps: Float64Array
  readonly keyStart: Int32Array
  readonly keyLength: Int32Array
  readonly valueStart: Int32Array
  readonly valueLength: Int32Array
  /** Headers of the record at `index`; an empty list where it has none. */
  headers(index: number): readonly Header[]
}

/** Bytes of the key at `index`, a view into the batch; null where the record has none. */
export function keyBytesAt(batch: RecordBatch, index: number): Buffer | null {
  const length = batch.keyLength[index] as number
  const start = batch.keyStart[index] as number
  return length === NULL ? null : batch.data.subarray(start, start + length)
}

/** Bytes of the value at `index`, a view into the batch; null where the record has none. */
export function valueBytesAt(batch: RecordBatch, index: number): Buffer | null {
  const length = batch.valueLength[index] as number
  const start = batch.valueStart[index] as number
  return length === NULL ? null : batch.data.subarray(start, start + length)
}

/** Records `[from, to)` of a batch, as a view into the same bytes. */
export function sliceBatch(batch: RecordBatch, from: number, to = batch.count): RecordBatch {
  if (from === 0 && to === batch.count) return batch
  return {
    topic: batch.topic,
    partition: batch.partition,
    count: to - from,
    data: batch.data,
    offsets: batch.offsets.subarray(from, to),
    timestamps: batch.timestamps.subarray(from, to),
    keyStart: batch.keyStart.subarray(from, to),
    keyLength: batch.keyLength.subarray(from, to),
    valueStart: batch.valueStart.subarray(from, to),
    valueLength: batch.valueLength.subarray(from, to),
    headers: index => batch.headers(from + index),
  }
}

const NO_HEADERS: readonly Header[] = []

/** Packs records of one partition into a {@link RecordBatch}. Reusable after `build()`. */
export class RecordBatchBuilder {
  private parts: Buffer[] = []
  private bytes = 0
  private readonly offsets: number[] = []
  private readonly timestamps: number[] = []
  private readonly lengths: number[] = []
  private headers: Map<number, readonly Header[]> | undefined

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  get count(): number {
    return this.offsets.length
  }

  /** Appends a record. `key` and `value` are copied at `build()`, so they must not change before it. */
  add(
    offset: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers?: readonly Header[] | undefined,
  ): void {
    if (headers && headers.length > 0) {
      this.headers ??= new Map()
      this.headers.set(this.offsets.length, headers)
    }
    this.offsets.push(offset)
    this.timestamps.push(timestamp)
    this.lengths.push(this.part(key), this.part(value))
  }

  private part(bytes: Buffer | null): number {
    if (bytes === null) return NULL
    this.parts.push(bytes)
    this.bytes += bytes.length
    return bytes.length
  }

  build(): RecordBatch {
    const count = this.offsets.length
    const keyStart = new Int32Array(count)
    const keyLength = new Int32Array(count)
    const valueStart = new Int32Array(count)
    const valueLength = new Int32Array(count)
    let position = 0
    for (let i = 0; i < count; i++) {
      keyStart[i] = position
      keyLength[i] = this.lengths[2 * i] as number
      position += Math.max(0, keyLength[i] as number)
      valueStart[i] = position
      valueLength[i] = this.lengths[2 * i + 1] as number
      position += Math.max(0, valueLength[i] as number)
    }
    const headers = this.headers
    const batch: RecordBatch = {
      topic: this.topic,
      partition: this.partition,
      count,
      data: Buffer.concat(this.parts, this.bytes),
      offsets: Float64Array.from(this.offsets),
      timestamps: Float64Array.from(this.timestamps),
      keyStart,
      keyLength,
      valueStart,
      valueLength,
      headers: index => headers?.get(index) ?? NO_HEADERS,
    }
    this.parts = []
    this.bytes = 0
    this.offsets.length = 0
    this.timestamps.length = 0
    this.lengths.length = 0
    this.headers = undefined
    return batch
  }
}
