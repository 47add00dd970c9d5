import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { divideUnits, fromUnits, roundQuotient, toUnits } from '../../src/aggregates/quotient.js'
import { finiteDoubles } from './arbitraries.js'
import { nearest } from './exact.js'

describe('toUnits and fromUnits', () => {
  it('lose nothing', () => {
    fc.assert(
      fc.property(finiteDoubles, value => {
        expect(fromUnits(toUnits(value))).toBe(value + 0)
      }),
      { numRuns: 1000 },
    )
  })

  it('have the smallest double as unit', () => {
    expect(toUnits(Number.MIN_VALUE)).toBe(1n)
    expect(toUnits(-1)).toBe(-(1n << 1074n))
    expect(fromUnits(3n)).toBe(3 * Number.MIN_VALUE)
  })

  it('overflow to infinity from half an ulp beyond the largest double', () => {
    const ulp = 1n << BigInt(971 + 1074)
    const largest = toUnits(Number.MAX_VALUE)
    expect(fromUnits(largest + ulp / 2n - 1n)).toBe(Number.MAX_VALUE)
    expect(fromUnits(largest + ulp / 2n)).toBe(Infinity)
    expect(fromUnits(-largest - ulp)).toBe(-Infinity)
    expect(fromUnits(1n << 9999n)).toBe(Infinity)
  })
})

describe('roundQuotient', () => {
  it('is the nearest double', () => {
    const tops = fc.oneof(fc.bigInt({ min: -(2n ** 120n), max: 2n ** 120n }), fc.bigInt({ min: -99n, max: 99n }))
    const bottoms = fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 70n }), fc.bigInt({ min: 1n, max: 99n }))
    fc.assert(
      fc.property(tops, bottoms, fc.nat(1200), (top, bottom, shift) => {
        expect(roundQuotient(top, bottom)).toBe(nearest(top, bottom) + 0)
        expect(roundQuotient(top, bottom << BigInt(shift))).toBe(nearest(top, bottom << BigInt(shift)) + 0)
      }),
      { numRuns: 300 },
    )
  })

  it('rounds ties to even, below the normal doubles too', () => {
    expect(roundQuotient(2n ** 53n + 1n, 1n)).toBe(2 ** 53)
    expect(roundQuotient(2n ** 53n + 3n, 1n)).toBe(2 ** 53 + 4)
    expect(roundQuotient(2n * (2n ** 53n + 1n) + 1n, 2n)).toBe(2 ** 53 + 2)
    expect(roundQuotient(1n, 2n << 1074n)).toBe(0)
    expect(roundQuotient(3n, 2n << 1074n)).toBe(2 * Number.MIN_VALUE)
    expect(roundQuotient(1n, 1n << 1076n)).toBe(0)
  })
})

describe('divideUnits', () => {
  it('divides before it rounds', () => {
    expect(divideUnits(toUnits(1), 3)).toBe(1 / 3)
    expect(divideUnits(toUnits(Number.MAX_VALUE) * 2n, 2)).toBe(Number.MAX_VALUE)
    expect(divideUnits(-1n, 1)).toBe(-Number.MIN_VALUE)
  })
})
