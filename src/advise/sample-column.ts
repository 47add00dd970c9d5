import { HyperLogLog } from '../aggregates/hyper-log-log.js'
import { VALUE_HASHES } from '../aggregates/value-hash.js'
import { type CountedValue, HotValues } from './hot-values.js'

/** What a scalar field holds. */
export type Scalar = string | number | bigint | boolean

/** Code of a null. */
export const NULL_CODE = -1

/** Values that are told apart exactly. */
const EXACT_VALUES = 131_072
/** 2^14 registers: a relative standard error of 0.8 %. */
const INDEX_BITS = 14
const HOT_VALUES = 1_000

/**
 * One column of a sample: a code an event. While there are few values, a code is the number of a value, in order of first
 * occurrence, and all is exact; beyond 131,072 values it is the hash of the key that the value makes, the values are counted
 * by HyperLogLog, and the frequent ones are found by Misra and Gries.
 */
export class SampleColumn {
  /** {@link NULL_CODE}, else the number of a value or, where not `exact`, a hash. */
  codes = new Int32Array(1_024)
  length = 0
  nulls = 0
  exact = true
  /** Texts of no characters, or of spaces only. */
  blanks = 0
  /** UTF-8 bytes of the longest text. */
  longestBytes = 0
  /** By number; of no use where not `exact`. */
  readonly values: Scalar[] = []
  readonly counts: number[] = []
  private readonly numbers = new Map<Scalar, number>()
  private readonly hashes: number[] = []
  private readonly sketch = new HyperLogLog(INDEX_BITS)
  private readonly hot = new HotValues<Scalar>(HOT_VALUES)
  private readonly hash = new Int32Array(2)

  /** @param keyHash 31 bits that the partition of a value's key follows from. */
  constructor(private readonly keyHash: (value: Scalar) => number) {}

  add(value: Scalar | null | undefined): void {
    if (this.length === this.codes.length) {
      const larger = new Int32Array(2 * this.length)
      larger.set(this.codes)
      this.codes = larger
    }
    this.codes[this.length++] = value === null || value === undefined ? this.nullCode() : this.code(value)
  }

  /** How many values there are; an estimate where not `exact`. */
  get cardinality(): number {
    return this.exact ? this.values.length : this.sketch.estimate()
  }

  /** The hash that belongs to a code. */
  hashOf(code: number): number {
    if (!this.exact) return code
    const known = this.hashes[code]
    if (known !== undefined) return known
    const hash = this.keyHash(this.values[code] as Scalar)
    this.hashes[code] = hash
    return hash
  }

  /** The most frequent values; where not `exact`, counts are up to 0.1 % of the events too low. */
  hottest(wanted: number): readonly CountedValue<Scalar>[] {
    if (!this.exact) return this.hot.top(wanted)
    return this.byCount().slice(0, wanted)
  }

  private byCount(): readonly CountedValue<Scalar>[] {
    return this.values
      .map((value, number) => ({ value, count: this.counts[number] as number }))
      .sort((a, b) => b.count - a.count)
  }

  private nullCode(): number {
    this.nulls++
    return NULL_CODE
  }

  private code(value: Scalar): number {
    if (typeof value === 'string') {
      if (value.length === 0 || value.trim() === '') this.blanks++
    }
    if (!this.exact) return this.hashed(value)
    const known = this.numbers.get(value)
    if (known !== undefined) {
      ;(this.counts[known] as number)++
      return known
    }
    this.measure(value)
    if (this.values.length === EXACT_VALUES) {
      this.estimateFromNow()
      return this.hashed(value)
    }
    const number = this.values.length
    this.numbers.set(value, number)
    this.values.push(value)
    this.counts.push(1)
    return number
  }

  private measure(value: Scalar): void {
    if (typeof value === 'string' && 3 * value.length > this.longestBytes) {
      this.longestBytes = Math.max(this.longestBytes, Buffer.byteLength(value))
    }
  }

  private estimateFromNow(): void {
    for (let i = 0; i < this.length; i++) {
      const code = this.codes[i] as number
      if (code !== NULL_CODE) this.codes[i] = this.hashOf(code)
    }
    for (const value of this.values) this.sketchValue(value)
    // Everything below the last kept one is given up, as that algorithm would have.
    const kept = this.byCount().slice(0, HOT_VALUES + 1)
    const least = kept[HOT_VALUES]?.count ?? 0
    for (const { value, count } of kept) if (count > least) this.hot.add(value, count - least)
    this.exact = false
    this.numbers.clear()
    this.values.length = 0
    this.counts.length = 0
    this.hashes.length = 0
  }

  private hashed(value: Scalar): number {
    this.measure(value)
    this.sketchValue(value)
    this.hot.add(value)
    return this.keyHash(value)
  }

  private sketchValue(value: Scalar): void {
    if (typeof value === 'string') VALUE_HASHES.text(value as never, this.hash)
    else if (typeof value === 'boolean') VALUE_HASHES.bool(value as never, this.hash)
    else if (typeof value === 'number' && !Number.isInteger(value)) VALUE_HASHES.double(value as never, this.hash)
    else VALUE_HASHES.long(value as never, this.hash)
    this.sketch.add(this.hash[0] as number, this.hash[1] as number)
  }
}
