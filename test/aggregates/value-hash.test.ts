import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VALUE_HASHES, type ValueHash } from '../../src/aggregates/value-hash.js'
import { doubles, longs, texts } from './arbitraries.js'
import { longBytes, referenceHash } from './murmur3-reference.js'

function hashOf(hash: ValueHash, value: unknown): bigint {
  const into = new Int32Array(2)
  hash(value as never, into)
  return (BigInt(into[0]! >>> 0) << 32n) | BigInt(into[1]! >>> 0)
}

describe('value hashes', () => {
  it('take whole numbers as 64 bits, as number and as bigint', () => {
    fc.assert(
      fc.property(longs, value => {
        expect(hashOf(VALUE_HASHES.long, value)).toBe(referenceHash(longBytes(BigInt(value))))
        expect(hashOf(VALUE_HASHES.long, BigInt(value))).toBe(referenceHash(longBytes(BigInt(value))))
      }),
      { numRuns: 1000 },
    )
    expect(hashOf(VALUE_HASHES.int, -1)).toBe(hashOf(VALUE_HASHES.long, -1n))
  })

  it('take doubles as their bits, but one zero and one NaN', () => {
    fc.assert(
      fc.property(doubles, value => {
        const bytes = Buffer.alloc(8)
        bytes.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value + 0)
        expect(hashOf(VALUE_HASHES.double, value)).toBe(referenceHash(bytes))
      }),
    )
    expect(hashOf(VALUE_HASHES.double, -0)).toBe(hashOf(VALUE_HASHES.double, 0))
    const bits = new BigUint64Array([0xfff8_0000_0000_0001n])
    expect(hashOf(VALUE_HASHES.double, new Float64Array(bits.buffer)[0])).toBe(hashOf(VALUE_HASHES.double, Number.NaN))
  })

  it('take text as UTF-8, however long', () => {
    const long = fc.nat(9000).map(length => 'aé\u{1f600}'.repeat(length / 3))
    fc.assert(
      fc.property(fc.oneof(texts, long), value => {
        expect(hashOf(VALUE_HASHES.text, value)).toBe(referenceHash(Buffer.from(value)))
      }),
      { numRuns: 200 },
    )
    expect(hashOf(VALUE_HASHES.text, 'x'.repeat(20_000))).toBe(referenceHash(Buffer.alloc(20_000, 'x')))
  })

  it('do not mix in what the last text left behind', () => {
    for (let length = 40; length >= 0; length--) {
      const value = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnop'.slice(0, length)
      expect(hashOf(VALUE_HASHES.text, value)).toBe(referenceHash(Buffer.from(value)))
    }
  })

  it('take timestamps as ms, as number and as Date', () => {
    expect(hashOf(VALUE_HASHES.timestamp, new Date(1_700_000_000_000))).toBe(
      hashOf(VALUE_HASHES.long, 1_700_000_000_000),
    )
    expect(hashOf(VALUE_HASHES.timestamp, 5)).toBe(hashOf(VALUE_HASHES.long, 5))
  })

  it('take true and false as 1 and 0', () => {
    expect(hashOf(VALUE_HASHES.bool, true)).toBe(hashOf(VALUE_HASHES.long, 1))
    expect(hashOf(VALUE_HASHES.bool, false)).toBe(hashOf(VALUE_HASHES.long, 0))
  })
})
