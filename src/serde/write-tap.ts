const FIRST_SIZE = 4_096
const TWO_27 = 2 ** 27

/**
 * What avsc's types and its own tap agree on for writing: bytes behind the buffer's end are dropped, and the writer looks
 * at `pos` afterwards.
 */
export interface LongSink {
  readonly buf: Buffer
  pos: number
}

/** Writes a long of the whole 64-bit range: a safe integer, or a bigint that the caller has checked. */
export function writeExactLong(tap: LongSink, value: number | bigint): void {
  const buf = tap.buf
  let pos = tap.pos
  let low: number
  let high: number
  if (typeof value === 'bigint') {
    const half = value < 0n ? -value - 1n : value
    low = (Number(half & 0x7ffffffn) << 1) | (value < 0n ? 1 : 0)
    high = Number(half >> 27n)
  } else {
    const half = value < 0 ? -value - 1 : value
    high = half < TWO_27 ? 0 : Math.floor(half / TWO_27)
    low = ((half - high * TWO_27) << 1) | (value < 0 ? 1 : 0)
  }
  if (high === 0) {
    while (low > 0x7f) {
      buf[pos++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    buf[pos++] = low
  } else {
    for (let group = 0; group < 4; group++) {
      buf[pos++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    while (high > 0x7f) {
      buf[pos++] = (high % 128) | 0x80
      high = Math.floor(high / 128)
    }
    buf[pos++] = high
  }
  tap.pos = pos
}

/**
 * Writes Avro primitives for avsc's types into a buffer that grows, in place of avsc's own tap. After an encoding that
 * did not fit, `fits()` makes room and answers false: encode again.
 */
export class WriteTap implements LongSink {
  buf: Buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)
  pos = 0

  /** False when bytes were dropped at the end of the buffer, which is large enough now. */
  fits(): boolean {
    if (this.pos <= this.buf.length) return true
    this.buf = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(this.pos)))
    return false
  }

  /** A copy of what was written. */
  bytes(): Buffer {
    const copy = Buffer.allocUnsafe(this.pos)
    this.buf.copy(copy, 0, 0, this.pos)
    return copy
  }

  private room(bytes: number): number | undefined {
    const pos = this.pos
    this.pos = pos + bytes
    return this.pos <= this.buf.length ? pos : undefined
  }

  writeBoolean(value: boolean): void {
    this.buf[this.pos++] = value ? 1 : 0
  }

  writeInt(value: number): void {
    writeExactLong(this, value)
  }

  writeLong(value: number): void {
    writeExactLong(this, value)
  }

  writeFloat(value: number): void {
    const pos = this.room(4)
    if (pos !== undefined) this.buf.writeFloatLE(value, pos)
  }

  writeDouble(value: number): void {
    const pos = this.room(8)
    if (pos !== undefined) this.buf.writeDoubleLE(value, pos)
  }

  writeFixed(bytes: Buffer, length = bytes.length): void {
    const pos = this.room(length)
    if (pos !== undefined) bytes.copy(this.buf, pos, 0, length)
  }

  writeBytes(bytes: Buffer): void {
    this.writeLong(bytes.length)
    this.writeFixed(bytes)
  }

  /** Lone surrogates become U+FFFD, as everywhere in Node. */
  writeString(text: string): void {
    const length = text.length
    if (length < 64 && this.writeAscii(text, length)) return
    const bytes = Buffer.byteLength(text)
    this.writeLong(bytes)
    const pos = this.room(bytes)
    if (pos !== undefined) this.buf.write(text, pos, bytes, 'utf8')
  }

  private writeAscii(text: string, length: number): boolean {
    const buf = this.buf
    let pos = this.pos
    buf[pos++] = length << 1
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return false
      buf[pos++] = code
    }
    this.pos = pos
    return true
  }

  /** Avro's own name for bytes given as latin1 text: encoded defaults of fields that a value leaves out. */
  writeBinary(text: string, length: number): void {
    const pos = this.room(length)
    if (pos !== undefined) this.buf.write(text, pos, length, 'latin1')
  }
}
