// 64-bit words are pairs of 32-bit integers here: bigints would cost more than the rest of an aggregate.

const C1_HIGH = 0x87c37b91 | 0
const C1_LOW = 0x114253d5
const C2_HIGH = 0x4cf5ad43
const C2_LOW = 0x2745937f

/** High half of what the last operation below answered; its low half is the function's value. */
let carried = 0

function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const a0 = aLow & 0xffff
  const a1 = aLow >>> 16
  const b0 = bLow & 0xffff
  const b1 = bLow >>> 16
  const low = Math.imul(a0, b0)
  const middle1 = Math.imul(a1, b0) >>> 0
  const middle2 = Math.imul(a0, b1) >>> 0
  const middle = (low >>> 16) + (middle1 & 0xffff) + (middle2 & 0xffff)
  carried =
    (Math.imul(a1, b1) +
      (middle1 >>> 16) +
      (middle2 >>> 16) +
      (middle >>> 16) +
      Math.imul(aHigh, bLow) +
      Math.imul(aLow, bHigh)) |
    0
  return (middle << 16) | (low & 0xffff)
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const low = (aLow + bLow) | 0
  carried = (aHigh + bHigh + (low >>> 0 < aLow >>> 0 ? 1 : 0)) | 0
  return low
}

/** Rotates left by fewer than 32 bits. */
function rotate(high: number, low: number, bits: number): number {
  carried = (high << bits) | (low >>> (32 - bits))
  return (low << bits) | (high >>> (32 - bits))
}

function scramble1(high: number, low: number): number {
  let word = multiply(high, low, C1_HIGH, C1_LOW)
  word = rotate(carried, word, 31)
  return multiply(carried, word, C2_HIGH, C2_LOW)
}

function scramble2(high: number, low: number): number {
  const word = multiply(high, low, C2_HIGH, C2_LOW)
  // By 33: the halves change places, and one bit more.
  const rotated = rotate(word, carried, 1)
  return multiply(carried, rotated, C1_HIGH, C1_LOW)
}

function mix(high: number, low: number): number {
  let word = multiply(high, low ^ (high >>> 1), 0xff51afd7 | 0, 0xed558ccd | 0)
  word = multiply(carried, word ^ (carried >>> 1), 0xc4ceb9fe | 0, 0x1a85ec53)
  return word ^ (carried >>> 1)
}

/**
 * The first 64 bits of Murmur3_128 (x64 variant, seed 0) of `bytes[0, length)`, written to `into` as two 32-bit halves, high
 * first. Behind `length` there must be zeros up to the next multiple of 16. Source: A. Appleby, MurmurHash3_x64_128; equal to Airlift's `Murmur3Hash128.hash64`.
 */
export function murmur3(bytes: Uint8Array, length: number, into: Int32Array): void {
  let h1High = 0
  let h1Low = 0
  let h2High = 0
  let h2Low = 0
  const body = length & ~15
  for (let i = 0; i < body; i += 16) {
    h1Low ^= scramble1(wordAt(bytes, i + 4), wordAt(bytes, i))
    h1High ^= carried
    h1Low = rotate(h1High, h1Low, 27)
    h1Low = add(carried, h1Low, h2High, h2Low)
    h1Low = multiply(carried, h1Low, 0, 5)
    h1Low = add(carried, h1Low, 0, 0x52dce729)
    h1High = carried

    h2Low ^= scramble2(wordAt(bytes, i + 12), wordAt(bytes, i + 8))
    h2High ^= carried
    h2Low = rotate(h2High, h2Low, 31)
    h2Low = add(carried, h2Low, h1High, h1Low)
    h2Low = multiply(carried, h2Low, 0, 5)
    h2Low = add(carried, h2Low, 0, 0x38495ab5)
    h2High = carried
  }
  if (length - body > 8) {
    h2Low ^= scramble2(wordAt(bytes, body + 12), wordAt(bytes, body + 8))
    h2High ^= carried
  }
  if (length > body) {
    h1Low ^= scramble1(wordAt(bytes, body + 4), wordAt(bytes, body))
    h1High ^= carried
  }
  finish(h1High, h1Low ^ length, h2High, h2Low ^ length, into)
}

/** {@link murmur3} of the 8 little-endian bytes of a 64-bit integer, given as its halves. */
export function murmur3Long(high: number, low: number, into: Int32Array): void {
  const word = scramble1(high, low)
  finish(carried, word ^ 8, 0, 8, into)
}

function finish(aHigh: number, aLow: number, bHigh: number, bLow: number, into: Int32Array): void {
  let h1Low = add(aHigh, aLow, bHigh, bLow)
  const h1High = carried
  let h2Low = add(bHigh, bLow, h1High, h1Low)
  const h2High = carried
  h1Low = mix(h1High, h1Low)
  const mixedHigh = carried
  h2Low = mix(h2High, h2Low)
  into[1] = add(mixedHigh, h1Low, carried, h2Low)
  into[0] = carried
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}
