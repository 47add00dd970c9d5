import { decodeDense, encodeDense } from './hyper-log-log-dense.js'
import { denseEstimate, sparseEstimate } from './hyper-log-log-estimate.js'

/** Bits of the hash that a sparse entry keeps; the number of leading zeros in the rest stands in its other 6 bits. */
const SPARSE_INDEX_BITS = 26
const SPARSE_VALUE_BITS = 6
const SPARSE_VALUE_MASK = (1 << SPARSE_VALUE_BITS) - 1
const SPARSE_TAG = 2
const SPARSE_HEADER = 4

/**
 * A HyperLogLog sketch with Airlift's registers and Airlift's bytes (sparse layout tag 2, dense layout tag 3), so that Trino reads it:
 * `cast(from_hex(…) as HyperLogLog)`.
 *
 * Sparse while small: a sorted list of hash prefixes of 26 bits. It turns dense where Airlift's does when values are added one by one
 * (4,096 registers: with the 512th), which depends on the set of hashes only: the same bytes in any order of adding and merging.
 * (What Airlift merged stays sparse for up to five more.)
 *
 * Source: Airlift, `io.airlift.stats.cardinality`, stats/docs/hll.md.
 */
export class HyperLogLog {
  /** Sorted, unsigned: 26 bits of hash, 6 bits of leading zeros behind them. Undefined once dense. */
  private entries: Uint32Array | undefined
  private entryCount = 0
  private registers: Uint8Array | undefined
  private readonly sparseLimit: number

  /** @param indexBits the sketch has 2^indexBits registers; from 4 to 16. */
  constructor(readonly indexBits: number) {
    this.sparseLimit = sparseLimit(indexBits)
    this.entries = new Uint32Array(Math.min(4, this.sparseLimit))
  }

  /** Adds a 64-bit hash, given as its halves. */
  add(high: number, low: number): void {
    if (this.registers) this.raise(high >>> (32 - this.indexBits), leadingZerosAfter(high, low, this.indexBits) + 1)
    else this.addEntry(((high & ~SPARSE_VALUE_MASK) | leadingZerosAfter(high, low, SPARSE_INDEX_BITS)) >>> 0)
  }

  merge(other: HyperLogLog): void {
    if (other.registers) {
      const registers = this.toDense()
      for (let i = 0; i < registers.length; i++) this.raise(i, other.registers[i] as number)
    } else {
      for (let i = 0; i < other.entryCount; i++) {
        const entry = other.entries?.[i] as number
        if (this.registers) this.raiseByEntry(entry)
        else this.addEntry(entry)
      }
    }
  }

  /** How many different hashes were added, estimated; a whole number. */
  estimate(): number {
    return Math.round(this.registers ? denseEstimate(this.registers, this.indexBits) : sparseEstimate(this.entryCount))
  }

  encode(): Buffer {
    if (this.registers) return encodeDense(this.registers, this.indexBits)
    const bytes = Buffer.alloc(SPARSE_HEADER + 4 * this.entryCount)
    bytes[0] = SPARSE_TAG
    bytes[1] = this.indexBits
    bytes.writeUInt16LE(this.entryCount, 2)
    for (let i = 0; i < this.entryCount; i++) bytes.writeUInt32LE(this.entries?.[i] as number, SPARSE_HEADER + 4 * i)
    return bytes
  }

  static decode(bytes: Buffer): HyperLogLog {
    const sketch = new HyperLogLog(bytes[1] as number)
    if (bytes[0] === SPARSE_TAG) {
      const count = bytes.readUInt16LE(2)
      const entries = new Uint32Array(Math.max(count, Math.min(4, sketch.sparseLimit)))
      for (let i = 0; i < count; i++) entries[i] = bytes.readUInt32LE(SPARSE_HEADER + 4 * i)
      sketch.entries = entries
      sketch.entryCount = count
      if (count > sketch.sparseLimit) sketch.toDense()
    } else {
      sketch.entries = undefined
      sketch.registers = decodeDense(bytes)
    }
    return sketch
  }

  private addEntry(entry: number): void {
    const entries = this.entries as Uint32Array
    const prefix = entry >>> SPARSE_VALUE_BITS
    let low = 0
    let high = this.entryCount
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle] as number) >>> SPARSE_VALUE_BITS < prefix) low = middle + 1
      else high = middle
    }
    if (low < this.entryCount && (entries[low] as number) >>> SPARSE_VALUE_BITS === prefix) {
      if (entry > (entries[low] as number)) entries[low] = entry
    } else if (this.entryCount >= this.sparseLimit) {
      this.toDense()
      this.raiseByEntry(entry)
    } else {
      this.insertEntry(low, entry)
    }
  }

  private insertEntry(at: number, entry: number): void {
    let entries = this.entries as Uint32Array
    if (this.entryCount === entries.length) {
      const larger = new Uint32Array(Math.min(2 * entries.length, this.sparseLimit))
      larger.set(entries)
      this.entries = entries = larger
    }
    entries.copyWithin(at + 1, at, this.entryCount)
    entries[at] = entry
    this.entryCount++
  }

  private toDense(): Uint8Array {
    if (this.registers) return this.registers
    const entries = this.entries as Uint32Array
    this.entries = undefined
    this.registers = new Uint8Array(1 << this.indexBits)
    for (let i = 0; i < this.entryCount; i++) this.raiseByEntry(entries[i] as number)
    this.entryCount = 0
    return this.registers
  }

  private raise(register: number, value: number): void {
    const registers = this.registers as Uint8Array
    if (value > (registers[register] as number)) registers[register] = value
  }

  private raiseByEntry(entry: number): void {
    const between = SPARSE_INDEX_BITS - this.indexBits
    const zeros = Math.clz32(entry << this.indexBits)
    const all = zeros < between ? zeros : between + (entry & SPARSE_VALUE_MASK)
    this.raise(entry >>> (32 - this.indexBits), all + 1)
  }
}

/**
 * Airlift's list grows by 10 entries from 1, and gives way to registers when it takes more memory than they do: 4 bytes an
 * entry against half a byte a register and 16 bytes of further fields.
 */
function sparseLimit(indexBits: number): number {
  return 1 + 10 * Math.floor(((1 << indexBits) / 8 + 3) / 10)
}

/** Leading zeros of a 64-bit hash behind its first `bits` (4 to 26); all of them, where the rest is zero. */
function leadingZerosAfter(high: number, low: number, bits: number): number {
  const inHigh = Math.clz32(high << bits)
  return inHigh < 32 - bits ? inHigh : 32 - bits + Math.clz32(low)
}
