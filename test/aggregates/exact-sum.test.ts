import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactSum } from '../../src/aggregates/exact-sum.js'
import { doubles, finiteDoubles } from './arbitraries.js'
import { exactMean, exactSum } from './exact.js'

function sumOf(values: readonly number[]): ExactSum {
  const sum = new ExactSum()
  for (const value of values) sum.add(value)
  return sum
}

describe('ExactSum', () => {
  it('rounds once', () => {
    fc.assert(
      fc.property(fc.array(doubles, { maxLength: 40 }), values => {
        expect(sumOf(values).round()).toBe(exactSum(values))
        const mean = exactMean(values)
        if (mean !== null) expect(sumOf(values).roundMean(values.length)).toBe(mean)
      }),
      { numRuns: 500 },
    )
  })

  it('encodes the sum, not the way to it', () => {
    fc.assert(
      fc.property(
        fc.array(finiteDoubles, { maxLength: 20 }),
        fc.array(finiteDoubles, { maxLength: 10 }),
        (values, detour) => {
          const there = sumOf([...values, ...detour])
          for (const value of detour) there.add(-value)
          expect(there.encode()).toEqual(sumOf(values).encode())
        },
      ),
      { numRuns: 500 },
    )
  })

  it('encodes as doubles below 2^900 and as bytes from there on', () => {
    expect(sumOf([]).encode()).toEqual([])
    expect(sumOf([1, 2 ** -100]).encode()).toEqual([1, 2 ** -100])
    expect(sumOf([2 ** 899]).encode()).toEqual([2 ** 899])
    expect(sumOf([2 ** 900, -(2 ** 899)]).encode()).toEqual([2 ** 899])
    const below = sumOf(Array.from({ length: 2 }, () => 2 ** 899)).encode()
    expect(Buffer.isBuffer(below)).toBe(true)
    expect(below).toEqual(sumOf([2 ** 900]).encode())
  })

  it('encodes what is not finite as that alone', () => {
    expect(sumOf([1, Infinity, 2]).encode()).toEqual([Infinity])
    expect(sumOf([-Infinity, 5]).encode()).toEqual([-Infinity])
    expect(sumOf([-Infinity, Infinity]).encode()).toEqual([Number.NaN])
  })

  it('adds another sum without losing a bit', () => {
    const a = sumOf([1e300, 1e-300, Number.MAX_VALUE])
    a.addSum(sumOf([-1e300, -Number.MAX_VALUE, 1]))
    expect(a.encode()).toEqual([1, 1e-300])
    expect(ExactSum.decode(a.encode()).round()).toBe(1)
  })
})
