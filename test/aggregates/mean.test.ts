import { describe, expect, expectTypeOf, it } from 'vitest'
import { mean } from '../../src/aggregates/mean.js'
import { doubles, ints, longs } from './arbitraries.js'
import { exactMean, nearest } from './exact.js'
import { type Event, mergeLaws, resultOf } from './laws.js'

interface Quest {
  gold: number
  name: string
}

const of = (type: 'int' | 'long' | 'decimal' | 'double') => mean<Quest>('gold').resolve(type)

function wholeMean(events: readonly Event<number | bigint>[]): number | null {
  const sum = events.reduce((total, { input }) => total + BigInt(input), 0n)
  return events.length === 0 ? null : nearest(sum, BigInt(events.length)) + 0
}

mergeLaws('mean(int)', of('int'), ints, wholeMean)
mergeLaws('mean(long)', of('long'), longs, wholeMean)
mergeLaws('mean(decimal)', of('decimal'), longs, wholeMean)
mergeLaws('mean(double)', of('double'), doubles, events => exactMean(events.map(e => e.input)), 300)

describe('mean', () => {
  it('divides the exact sum', () => {
    expect(resultOf(of('int'), [1, 2])).toBe(1.5)
    expect(resultOf(of('long'), [2n ** 63n - 1n, -(2n ** 63n)])).toBe(-0.5)
    expect(resultOf(of('double'), [0.1, 0.2, 0.3, 0.4])).toBe(0.25)
    expect(resultOf(of('double'), [Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Number.MAX_VALUE)
  })

  it('rounds once where the sum is beyond 2^53', () => {
    // 2^53 + 1 and 2^53 + 2: their sum is odd, and rounding it before the division would give 2^53 + 1 again.
    expect(resultOf(of('long'), [2n ** 53n + 1n, 2n ** 53n + 2n])).toBe(2 ** 53 + 2)
  })

  it('is null of nothing, in a nullable double column', () => {
    expect(resultOf(of('double'), [])).toBeNull()
    expect(of('long')).toMatchObject({ signature: 'mean(long)', column: 'double', nullable: true })
  })

  it('absorbs what is not finite', () => {
    expect(resultOf(of('double'), [1, Infinity])).toBe(Infinity)
    expect(resultOf(of('double'), [Infinity, -Infinity, 1])).toBeNaN()
  })

  it('refuses what has no mean', () => {
    expect(() => mean<Quest>('gold').resolve('bool')).toThrow(
      /mean takes int, long, decimal, double, but 'gold' is bool/,
    )
  })

  it('is typed', () => {
    expectTypeOf(mean<Quest>('gold')._result).toEqualTypeOf<number | null | undefined>()
    // @ts-expect-error text has no mean
    mean<Quest>('name')
  })
})
