import { describe, expect, expectTypeOf, it } from 'vitest'
import { double } from '../../src/aggregates/field.js'
import { sum } from '../../src/aggregates/sum.js'
import { doubles, ints, longs } from './arbitraries.js'
import { exactSum, exactWhole } from './exact.js'
import { ANYWHERE, mergeLaws, resultOf, stateBytes, stateOf } from './laws.js'

interface Event {
  gold: number
  big: bigint | null
  name: string
}

const of = (type: 'int' | 'long' | 'decimal' | 'double') => sum<Event>('gold').resolve(type)

mergeLaws('sum(int)', of('int'), ints, events => exactWhole(events.map(e => e.input)))
mergeLaws('sum(long)', of('long'), longs, events => exactWhole(events.map(e => e.input)))
mergeLaws('sum(decimal)', of('decimal'), longs, events => exactWhole(events.map(e => e.input)))
mergeLaws('sum(double)', of('double'), doubles, events => exactSum(events.map(e => e.input)), 400)

describe('sum of whole numbers', () => {
  it('is exact across 2^53', () => {
    expect(resultOf(of('long'), [2 ** 53 - 1, 1])).toBe(2n ** 53n)
    expect(resultOf(of('long'), [2 ** 53 - 1, 1, 1])).toBe(2n ** 53n + 1n)
    expect(resultOf(of('long'), [2n ** 53n, -1])).toBe(2 ** 53 - 1)
    expect(resultOf(of('long'), [-(2 ** 53 - 1), -1, -1])).toBe(-(2n ** 53n) - 1n)
  })

  it('is exact beyond 64 bits', () => {
    const max = 2n ** 63n - 1n
    expect(resultOf(of('long'), [max, max, max])).toBe(3n * max)
    expect(resultOf(of('long'), [-max - 1n, -max - 1n])).toBe(-2n * (max + 1n))
  })

  it('is a long of ints and a decimal of longs, and 0 of nothing', () => {
    expect(of('int')).toMatchObject({ signature: 'sum(int)', column: 'long', nullable: false, resultSchema: 'long' })
    expect(of('long')).toMatchObject({ signature: 'sum(long)', column: 'decimal', nullable: false })
    expect(of('decimal')).toMatchObject({ signature: 'sum(decimal)', column: 'decimal', nullable: false })
    expect(resultOf(of('long'), [])).toBe(0)
  })
})

describe('sum of doubles', () => {
  it('loses nothing on the way', () => {
    expect(resultOf(of('double'), [1e16, 1, -1e16])).toBe(1)
    expect(
      resultOf(
        of('double'),
        Array.from({ length: 10 }, () => 0.1),
      ),
    ).toBe(1)
    expect(resultOf(of('double'), [1e308, 1e308, -1e308])).toBe(1e308)
    expect(resultOf(of('double'), [Number.MAX_VALUE, Number.MAX_VALUE, 1, -Number.MAX_VALUE, -Number.MAX_VALUE])).toBe(
      1,
    )
  })

  it('rounds once, ties to even, looking beyond the tie', () => {
    expect(resultOf(of('double'), [1, 2 ** -53])).toBe(1)
    expect(resultOf(of('double'), [1, 2 ** -53, 2 ** -1074])).toBe(1 + 2 ** -52)
    expect(resultOf(of('double'), [1 + 2 ** -52, 2 ** -53])).toBe(1 + 2 ** -51)
    expect(resultOf(of('double'), [1 + 2 ** -52, 2 ** -53, -(2 ** -1074)])).toBe(1 + 2 ** -52)
  })

  it('overflows only where the sum does', () => {
    expect(resultOf(of('double'), [Number.MAX_VALUE, Number.MAX_VALUE])).toBe(Infinity)
    expect(resultOf(of('double'), [-Number.MAX_VALUE, -Number.MAX_VALUE])).toBe(-Infinity)
  })

  it('absorbs what is not finite', () => {
    expect(resultOf(of('double'), [1, Infinity])).toBe(Infinity)
    expect(resultOf(of('double'), [Infinity, -Infinity])).toBeNaN()
    expect(resultOf(of('double'), [Number.NaN, 1])).toBeNaN()
  })

  it('is +0 of nothing, of -0, and of what cancels out', () => {
    for (const inputs of [[], [-0], [-0, -0], [0.1, -0.1]]) expect(resultOf(of('double'), inputs)).toBe(0)
  })

  it('keeps one double where one is enough', () => {
    const { bytes } = stateBytes(of('double'))
    const state = stateOf(
      of('double'),
      [0.1, 0.2, 0.3, -0.2, -0.3].map(input => ({ input, at: ANYWHERE })),
    )
    expect(bytes(state)).toBe(bytes(stateOf(of('double'), [{ input: 0.1, at: ANYWHERE }])))
  })
})

describe('sum', () => {
  it('refuses other types, naming the field and what it takes', () => {
    expect(() => sum<Event>('gold').resolve('text')).toThrow(
      "sum('gold'): sum takes int, long, decimal, double, but 'gold' is text. Name another field, or give a typed expression such as double(e => …).",
    )
    expect(() => sum<Event>('gold').resolve(undefined)).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  })

  it('is typed', () => {
    expectTypeOf(sum<Event>('big')._result).toEqualTypeOf<number | undefined>()
    expectTypeOf(sum<Event>(double(e => e.gold / 2))._result).toEqualTypeOf<number | undefined>()
    expectTypeOf(sum<Event>(double(e => (e.big === null ? null : Number(e.big))))._result).toEqualTypeOf<
      number | undefined
    >()
    // @ts-expect-error text cannot be summed
    sum<Event>('name')
    // @ts-expect-error no such field
    sum<Event>(double(e => e.nope))
  })

  it('carries its field and where', () => {
    const where = (e: Event) => e.gold > 1
    expect(sum<Event>('gold', { where })).toMatchObject({ kind: 'sum', input: 'gold', where })
  })
})
