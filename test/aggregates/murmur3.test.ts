import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur3, murmur3Long } from '../../src/aggregates/murmur3.js'
import { longBytes, referenceHash, referenceMurmur3 } from './murmur3-reference.js'

const into = new Int32Array(2)

function joined(): bigint {
  return (BigInt(into[0]! >>> 0) << 32n) | BigInt(into[1]! >>> 0)
}

function hashOf(bytes: Uint8Array): bigint {
  murmur3(Buffer.concat([bytes, Buffer.alloc(15)]), bytes.length, into)
  return joined()
}

describe('murmur3', () => {
  // Published values of MurmurHash3_x64_128 with seed 0.
  it.each([
    ['', 0n, 0n],
    ['hello', 0xcbd8a7b341bd9b02n, 0x5b1e906a48ae1d19n],
    ['The quick brown fox jumps over the lazy dog', 0xe34bbc7bbc071b6cn, 0x7a433ca9c49a9347n],
  ])('gives the known hash of "%s"', (text, first, second) => {
    expect(hashOf(Buffer.from(text))).toBe(first)
    expect(referenceMurmur3(Buffer.from(text))).toEqual([first, second])
  })

  it('equals the reference at any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), bytes => {
        expect(hashOf(bytes)).toBe(referenceHash(bytes))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('murmur3Long', () => {
  it('is the hash of the 8 little-endian bytes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value => {
        murmur3Long(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)), into)
        expect(joined()).toBe(referenceHash(longBytes(value)))
      }),
      { numRuns: 1000 },
    )
  })
})
