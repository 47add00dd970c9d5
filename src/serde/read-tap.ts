const EMPTY = Buffer.alloc(0)

/** Elements of arrays and maps that a record may hold beyond one a byte: only elements without bytes (nulls) can be more. */
const EXTRA_ITEMS = 65_536

const TWO_27 = 2 ** 27
const TWO_36 = 2 ** 36

/** Thrown where a value goes on behind the end. */
export class EndOfBytes extends Error {
  constructor() {
    super('it ends too early')
  }
}

type Utf8Buffer = Buffer & { utf8Slice(start: number, end: number): string }

/**
 * Reads Avro primitives from `buf[pos, end)` for avsc's types, in place of avsc's own tap.
 *
 * Differences: it ends at a record's end inside a larger buffer, throws there instead of reading on, keeps longs exact,
 * and bounds what a length prefix can make the reader allocate or loop over.
 */
export class ReadTap {
  buf: Buffer = EMPTY
  pos = 0
  end = 0
  private items = 0
  private low = 0
  private high = 0

  /** Points the tap at a record. */
  open(buf: Buffer, start: number, end: number): void {
    this.buf = buf
    this.pos = start
    this.end = end
    this.items = end - start + EXTRA_ITEMS
  }

  /** Lets go of the buffer. */
  close(): void {
    this.buf = EMPTY
  }

  private advance(bytes: number): number {
    const pos = this.pos
    const next = pos + bytes
    if (bytes < 0) throw new Error(`it has a length of ${bytes}`)
    if (!(next <= this.end)) throw new EndOfBytes()
    this.pos = next
    return pos
  }

  readBoolean(): boolean {
    const byte = this.buf[this.advance(1)] as number
    if (byte > 1) throw new Error(`it has ${byte} for a boolean`)
    return byte === 1
  }

  readInt(): number {
    const n = this.readLong()
    if (n !== (n | 0)) throw new Error('it has an int beyond 32 bits')
    return n
  }

  /** A long, rounded to the nearest double when it is beyond 2^53. */
  readLong(): number {
    const buf = this.buf
    const end = this.end
    let pos = this.pos
    if (pos >= end) throw new EndOfBytes()
    let byte = buf[pos++] as number
    let low = byte & 0x7f
    let shift = 7
    while (byte > 0x7f && shift < 28) {
      if (pos >= end) throw new EndOfBytes()
      byte = buf[pos++] as number
      low |= (byte & 0x7f) << shift
      shift += 7
    }
    if (byte < 0x80) {
      this.pos = pos
      return (low >>> 1) ^ -(low & 1)
    }
    let high = 0
    let scale = 1
    do {
      if (pos >= end) throw new EndOfBytes()
      byte = buf[pos++] as number
      high += (byte & 0x7f) * scale
      scale *= 128
      if (high >= TWO_36 || scale > 2 ** 42) throw new Error('it has a long beyond 64 bits')
    } while (byte > 0x7f)
    this.pos = pos
    this.low = low
    this.high = high
    // One rounding: the first term is exact.
    const magnitude = high * TWO_27 + ((low >>> 1) + (low & 1))
    return low & 1 ? -magnitude : magnitude
  }

  /** A long: a number up to 2^53 - 1, a bigint beyond it. */
  readExactLong(): number | bigint {
    const n = this.readLong()
    if (n <= Number.MAX_SAFE_INTEGER && n >= -Number.MAX_SAFE_INTEGER) return n
    const half = (BigInt(this.high) << 27n) | BigInt(this.low >>> 1)
    return this.low & 1 ? -half - 1n : half
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.advance(4))
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.advance(8))
  }

  /** A copy: a view would keep the whole batch in memory. */
  readFixed(length: number): Buffer {
    const start = this.advance(length)
    return Buffer.from(this.buf.subarray(start, start + length))
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong())
  }

  readString(): string {
    const length = this.readLong()
    const start = this.advance(length)
    return (this.buf as Utf8Buffer).utf8Slice(start, start + length)
  }

  skipBoolean(): void {
    this.advance(1)
  }

  skipInt(): void {
    this.readLong()
  }

  skipLong(): void {
    this.readLong()
  }

  skipFloat(): void {
    this.advance(4)
  }

  skipDouble(): void {
    this.advance(8)
  }

  skipFixed(length: number): void {
    this.advance(length)
  }

  skipBytes(): void {
    this.advance(this.readLong())
  }

  skipString(): void {
    this.advance(this.readLong())
  }

  /** Number of elements of the next block of an array or map; 0 at its end. */
  readBlock(): number {
    let count = this.readLong()
    if (count < 0) {
      count = -count
      this.skipLong()
    }
    this.items -= count
    if (this.items < 0) throw new Error('it has more elements than bytes')
    return count
  }

  /** As `readBlock`, except that a block which gives its size is skipped as a whole; -1 stands for such a one. */
  skipBlock(): number {
    const start = this.pos
    if (this.readLong() < 0) {
      this.skipBytes()
      return -1
    }
    this.pos = start
    return this.readBlock()
  }
}
