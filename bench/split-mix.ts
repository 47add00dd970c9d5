/** Steps of SplitMix64, as high and low halves of 32 bits. */
const GAMMA_HIGH = 0x9e3779b9
const GAMMA_LOW = 0x7f4a7c15

/** High half of the product of two unsigned 32-bit integers. */
function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16)
  return (a1 * b1 + (middle >>> 16) + ((a0 * b1 + (middle & 0xffff)) >>> 16)) | 0
}

/**
 * The generator SplitMix64 (Steele, Lea, Flood 2014), bit for bit as Java computes it, without a BigInt a number: the
 * workload asks it for some forty million.
 */
export class SplitMix {
  private stateHigh = 0
  private stateLow: number
  /** High and low half of the last number, as signed 32-bit integers. */
  high = 0
  low = 0

  /** `seed` is a whole number from 0 to 2^31 - 1. */
  constructor(seed: number) {
    this.stateLow = seed | 0
  }

  next(): void {
    const sum = (this.stateLow >>> 0) + GAMMA_LOW
    this.stateLow = sum | 0
    this.stateHigh = (this.stateHigh + GAMMA_HIGH + (sum > 0xffffffff ? 1 : 0)) | 0
    this.high = this.stateHigh
    this.low = this.stateLow
    this.mix(30, 0xbf58476d, 0x1ce4e5b9)
    this.mix(27, 0x94d049bb, 0x133111eb)
    this.fold(31)
  }

  /** A whole number of `[0, below)`; `below` is at most 2^21. */
  below(below: number): number {
    this.next()
    const high = this.high >>> 1
    const low = ((this.high << 31) | (this.low >>> 1)) >>> 0
    return ((high % below) * (2 ** 32 % below) + (low % below)) % below
  }

  /** A number of `[0, 1)` with 53 bits. */
  fraction(): number {
    this.next()
    return ((this.high >>> 0) * 2 ** 21 + (this.low >>> 11)) * 2 ** -53
  }

  private mix(shift: number, high: number, low: number): void {
    this.fold(shift)
    const product = highProduct(this.low, low)
    this.high = (product + Math.imul(this.high, low) + Math.imul(this.low, high)) | 0
    this.low = Math.imul(this.low, low)
  }

  /** Xors with itself, shifted right. */
  private fold(shift: number): void {
    this.low ^= (this.low >>> shift) | (this.high << (32 - shift))
    this.high ^= this.high >>> shift
  }
}
