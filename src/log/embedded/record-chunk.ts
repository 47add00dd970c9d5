import { MillraceError } from '../../model/errors.js'
import type { Header, RecordBatch } from '../../model/record-batch.js'

/**
 * A run of records of one partition as one store entry.
 *
 * Layout, big-endian: format byte, base offset (double), time of the append (double, ms since 1970), record count (u32);
 * then a record: offset minus base (u32), timestamp (double), length of the key (i32, -1 = null), of the value
 * (i32, -1 = null) and of the headers (u32), key, value, headers as JSON text.
 */
const FORMAT = 1
const CHUNK_HEADER = 21
const RECORD_HEADER = 24
const NULL = -1

/** A chunk takes no further record once it holds this many bytes or records. */
const CHUNK_BYTES = 64 * 1024
const CHUNK_RECORDS = 1_000

const NO_HEADERS: readonly Header[] = []

/** Fills one chunk. Bytes are copied, so that the caller may reuse its buffers. */
export class RecordChunkWriter {
  private buffer = Buffer.allocUnsafe(1024)
  private position = CHUNK_HEADER
  private records = 0
  private lastDelta = -1

  get count(): number {
    return this.records
  }

  get full(): boolean {
    return this.position >= CHUNK_BYTES || this.records >= CHUNK_RECORDS
  }

  /** Appends a record at `base + delta`; by default behind the record before. Deltas must ascend. */
  add(
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers: readonly Header[],
    delta = this.lastDelta + 1,
  ): void {
    const text = headers.length > 0 ? Buffer.from(JSON.stringify(headers)) : undefined
    const size = RECORD_HEADER + (key?.length ?? 0) + (value?.length ?? 0) + (text?.length ?? 0)
    this.reserve(size)
    const { buffer } = this
    let at = buffer.writeUInt32BE(delta, this.position)
    at = buffer.writeDoubleBE(timestamp, at)
    at = buffer.writeInt32BE(key?.length ?? NULL, at)
    at = buffer.writeInt32BE(value?.length ?? NULL, at)
    at = buffer.writeUInt32BE(text?.length ?? 0, at)
    if (key) at += key.copy(buffer, at)
    if (value) at += value.copy(buffer, at)
    if (text) at += text.copy(buffer, at)
    this.position = at
    this.lastDelta = delta
    this.records++
  }

  private reserve(size: number): void {
    const needed = this.position + size
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
  }

  /** The chunk's bytes, and the offset of its last record. No `add` after it. */
  finish(base: number, appendedAt: number): { readonly bytes: Buffer; readonly lastOffset: number } {
    let at = this.buffer.writeUInt8(FORMAT, 0)
    at = this.buffer.writeDoubleBE(base, at)
    at = this.buffer.writeDoubleBE(appendedAt, at)
    this.buffer.writeUInt32BE(this.records, at)
    return { bytes: this.buffer.subarray(0, this.position), lastOffset: base + this.lastDelta }
  }
}

/** Walks over the records of a chunk. `valid` says whether it stands on one. */
export class RecordChunkCursor {
  readonly appendedAt: number
  readonly base: number
  private left: number
  private position = CHUNK_HEADER

  constructor(readonly bytes: Buffer) {
    if (bytes[0] !== FORMAT) {
      throw new MillraceError(
        'UNKNOWN_FORMAT',
        `The embedded log holds a record of format ${bytes[0]}, and this version of Millrace knows format ${FORMAT}. Use the version that wrote it, or a new folder.`,
      )
    }
    this.base = bytes.readDoubleBE(1)
    this.appendedAt = bytes.readDoubleBE(9)
    this.left = bytes.readUInt32BE(17)
  }

  /** Records from here to the end of the chunk. */
  get remaining(): number {
    return this.left
  }

  get valid(): boolean {
    return this.left > 0
  }

  get offset(): number {
    return this.base + this.bytes.readUInt32BE(this.position)
  }

  get timestamp(): number {
    return this.bytes.readDoubleBE(this.position + 4)
  }

  get keyStart(): number {
    return this.position + RECORD_HEADER
  }

  get keyLength(): number {
    return this.bytes.readInt32BE(this.position + 12)
  }

  get valueStart(): number {
    return this.keyStart + Math.max(0, this.keyLength)
  }

  get valueLength(): number {
    return this.bytes.readInt32BE(this.position + 16)
  }

  get key(): Buffer | null {
    const length = this.keyLength
    return length === NULL ? null : this.bytes.subarray(this.keyStart, this.keyStart + length)
  }

  get value(): Buffer | null {
    const length = this.valueLength
    return length === NULL ? null : this.bytes.subarray(this.valueStart, this.valueStart + length)
  }

  get headers(): readonly Header[] {
    const length = this.bytes.readUInt32BE(this.position + 20)
    if (length === 0) return NO_HEADERS
    const start = this.valueStart + Math.max(0, this.valueLength)
    return JSON.parse(this.bytes.toString('utf8', start, start + length))
  }

  get hasHeaders(): boolean {
    return this.bytes.readUInt32BE(this.position + 20) > 0
  }

  next(): void {
    const { bytes, position } = this
    const key = Math.max(0, bytes.readInt32BE(position + 12))
    const value = Math.max(0, bytes.readInt32BE(position + 16))
    this.position = position + RECORD_HEADER + key + value + bytes.readUInt32BE(position + 20)
    this.left--
  }
}

/**
 * Packs up to `maxRecords` records of `[from, to)` out of chunks in offset order. Bytes of a single chunk are not
 * copied: the batch is a view of it.
 */
export function packChunks(
  topic: string,
  partition: number,
  chunks: readonly Buffer[],
  from: number,
  to: number,
  maxRecords: number,
): RecordBatch {
  const data = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  const cursors = chunks.map(bytes => new RecordChunkCursor(bytes))
  const room = Math.min(
    maxRecords,
    cursors.reduce((sum, cursor) => sum + cursor.remaining, 0),
  )
  const offsets = new Float64Array(room)
  const timestamps = new Float64Array(room)
  const [keyStart, keyLength, valueStart, valueLength] = [0, 1, 2, 3].map(() => new Int32Array(room)) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  const headers = new Map<number, readonly Header[]>()
  let count = 0
  let shift = 0
  for (const cursor of cursors) {
    for (; cursor.valid && count < room; cursor.next()) {
      const offset = cursor.offset
      if (offset < from) continue
      if (offset >= to) break
      offsets[count] = offset
      timestamps[count] = cursor.timestamp
      keyStart[count] = shift + cursor.keyStart
      keyLength[count] = cursor.keyLength
      valueStart[count] = shift + cursor.valueStart
      valueLength[count] = cursor.valueLength
      if (cursor.hasHeaders) headers.set(count, cursor.headers)
      count++
    }
    shift += cursor.bytes.length
  }
  return {
    topic,
    partition,
    count,
    data,
    offsets: offsets.subarray(0, count),
    timestamps: timestamps.subarray(0, count),
    keyStart: keyStart.subarray(0, count),
    keyLength: keyLength.subarray(0, count),
    valueStart: valueStart.subarray(0, count),
    valueLength: valueLength.subarray(0, count),
    headers: index => headers.get(index) ?? NO_HEADERS,
  }
}
