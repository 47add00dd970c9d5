import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addIntegers,
  decodeBigInt,
  decodeInteger,
  encodeBigInt,
  encodeInteger,
  integer,
} from '../../src/aggregates/integer.js'
import { longs } from './arbitraries.js'

describe('integer', () => {
  it('is a number up to 2^53 - 1 and a bigint beyond it', () => {
    expect(integer(2n ** 53n - 1n)).toBe(2 ** 53 - 1)
    expect(integer(2n ** 53n)).toBe(2n ** 53n)
    expect(integer(1n - 2n ** 53n)).toBe(1 - 2 ** 53)
    expect(integer(-(2n ** 53n))).toBe(-(2n ** 53n))
    expect(integer(-0)).toBe(0)
  })
})

describe('addIntegers', () => {
  it('is the sum of bigints', () => {
    fc.assert(
      fc.property(longs, longs, (a, b) => {
        expect(addIntegers(a, b)).toBe(integer(BigInt(a) + BigInt(b)))
      }),
    )
  })
})

describe('encodeInteger', () => {
  it('comes back, in one form a value', () => {
    fc.assert(
      fc.property(longs, value => {
        expect(decodeInteger(encodeInteger(value))).toBe(value)
        expect(encodeInteger(integer(BigInt(value)))).toEqual(encodeInteger(value))
      }),
    )
  })

  it('is a number where avsc holds it', () => {
    expect(encodeInteger(2 ** 52 - 1)).toBe(2 ** 52 - 1)
    expect(encodeInteger(2 ** 52)).toEqual(Buffer.from('10000000000000', 'hex'))
    expect(encodeInteger(-(2 ** 52))).toEqual(Buffer.from('f0000000000000', 'hex'))
  })
})

describe('encodeBigInt', () => {
  it.each([
    [0n, '00'],
    [1n, '01'],
    [-1n, 'ff'],
    [127n, '7f'],
    [128n, '0080'],
    [-128n, '80'],
    [-129n, 'ff7f'],
    [255n, '00ff'],
    [256n, '0100'],
    [-256n, 'ff00'],
    [2n ** 63n - 1n, '7fffffffffffffff'],
    [-(2n ** 63n), '8000000000000000'],
    [2n ** 63n, '008000000000000000'],
  ])('is the shortest two’s complement: %s', (value, hex) => {
    expect(encodeBigInt(value).toString('hex')).toBe(hex)
    expect(decodeBigInt(Buffer.from(hex, 'hex'))).toBe(value)
  })

  it('comes back at any size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }), value => {
        expect(decodeBigInt(encodeBigInt(value))).toBe(value)
      }),
    )
  })

  it('takes no bytes for zero', () => {
    expect(decodeBigInt(Buffer.alloc(0))).toBe(0n)
  })
})
