const MASK = 2n ** 64n - 1n
const C1 = 0x87c37b91114253d5n
const C2 = 0x4cf5ad432745937fn

const times = (a: bigint, b: bigint) => (a * b) & MASK
const plus = (a: bigint, b: bigint) => (a + b) & MASK
const rotate = (x: bigint, bits: bigint) => ((x << bits) | (x >> (64n - bits))) & MASK

function mix(k: bigint): bigint {
  const once = times(k ^ (k >> 33n), 0xff51afd7ed558ccdn)
  const twice = times(once ^ (once >> 33n), 0xc4ceb9fe1a85ec53n)
  return twice ^ (twice >> 33n)
}

function little(bytes: Uint8Array): bigint {
  return bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n)
}

/** MurmurHash3_x64_128 with seed 0 in bigints, both halves: slow and plain, to compare the fast one with. */
export function referenceMurmur3(bytes: Uint8Array): [bigint, bigint] {
  let h1 = 0n
  let h2 = 0n
  for (let i = 0; i <= bytes.length; i += 16) {
    const first = bytes.subarray(i, i + 8)
    const second = bytes.subarray(i + 8, i + 16)
    h1 ^= times(rotate(times(little(first), C1), 31n), C2)
    const whole = second.length === 8
    if (whole) h1 = plus(times(plus(rotate(h1, 27n), h2), 5n), 0x52dce729n)
    h2 ^= times(rotate(times(little(second), C2), 33n), C1)
    if (whole) h2 = plus(times(plus(rotate(h2, 31n), h1), 5n), 0x38495ab5n)
  }
  const length = BigInt(bytes.length)
  h1 = plus(h1 ^ length, h2 ^ length)
  h2 = plus(h2 ^ length, h1)
  const [a, b] = [mix(h1), mix(h2)]
  return [plus(a, b), plus(plus(a, b), b)]
}

/** The first half of the reference hash. */
export function referenceHash(bytes: Uint8Array): bigint {
  return referenceMurmur3(bytes)[0]
}

/** The 8 little-endian bytes of a 64-bit integer. */
export function longBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}
