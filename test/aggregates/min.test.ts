import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { double, text, timestamp } from '../../src/aggregates/field.js'
import { min } from '../../src/aggregates/min.js'
import { wellFormed } from '../../src/aggregates/text-order.js'
import { doubles, ints, longs, texts } from './arbitraries.js'
import { type Event, mergeLaws, resultOf } from './laws.js'

interface Quest {
  gold: number
  durationMs: bigint | null
  type: 'A' | 'B'
  tags: string[]
}

const of = (type: 'int' | 'long' | 'decimal' | 'double' | 'text' | 'bool' | 'timestamp') =>
  min<Quest, 'gold'>('gold').resolve(type)

function model<I, T>(form: (input: I) => T, isBelow: (a: T, b: T) => boolean) {
  return (events: readonly Event<I>[]) => {
    const sorted = events.map(event => form(event.input)).sort((a, b) => (isBelow(a, b) ? -1 : isBelow(b, a) ? 1 : 0))
    return sorted.at(0) ?? null
  }
}

const byNumber = (a: number | bigint, b: number | bigint) => BigInt(a) < BigInt(b)
const byDouble = (a: number, b: number) =>
  a < b || (!Number.isNaN(a) && Number.isNaN(b)) || (Object.is(a, -0) && Object.is(b, 0))

mergeLaws('min(int)', of('int'), ints, model(Number, byNumber))
mergeLaws(
  'min(long)',
  of('long'),
  longs,
  model(x => x, byNumber),
)
mergeLaws(
  'min(decimal)',
  of('decimal'),
  longs,
  model(x => x, byNumber),
)
mergeLaws(
  'min(text)',
  of('text'),
  texts,
  model(wellFormed, (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0),
)
mergeLaws(
  'min(bool)',
  of('bool'),
  fc.boolean(),
  model(Boolean, (a, b) => !a && b),
)
mergeLaws('min(timestamp)', of('timestamp'), fc.nat(10), events => {
  const best = model((n: number) => n, byNumber)(events)
  return best === null ? null : new Date(Number(best))
})
mergeLaws(
  'min(double)',
  of('double'),
  doubles,
  model(x => x, byDouble),
)

describe('min', () => {
  it('is exact beyond 2^53', () => {
    const near = [2n ** 53n + 1n, 2n ** 53n, 2 ** 53 - 1, 2n ** 53n + 2n]
    expect(resultOf(of('long'), near)).toBe(2 ** 53 - 1)
    const far = [2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n), 1n - 2n ** 63n]
    expect(resultOf(of('long'), far)).toBe(-(2n ** 63n))
  })

  it('puts NaN above all numbers and -0 below 0', () => {
    expect(resultOf(of('double'), [1, Number.NaN, Infinity])).toBe(1)
    expect(resultOf(of('double'), [Number.NaN])).toBeNaN()
    expect(resultOf(of('double'), [0, -0])).toBe(-0)
  })

  it('takes timestamps as Dates and as ms', () => {
    expect(resultOf(of('timestamp'), [new Date(5), 5])).toEqual(new Date(5))
  })

  it('is null of nothing, in a nullable column of its input’s type', () => {
    expect(resultOf(of('text'), [])).toBeNull()
    expect(of('text')).toMatchObject({
      signature: 'min(text)',
      column: 'text',
      nullable: true,
      resultSchema: ['null', 'string'],
    })
  })

  it('refuses bytes', () => {
    expect(() => min<Quest, 'gold'>('gold').resolve('bytes')).toThrow(
      /min takes int, long, decimal, double, text, bool, timestamp/,
    )
  })

  it('is typed: the type of the field, or null', () => {
    expectTypeOf(min<Quest, 'gold'>('gold')._result).toEqualTypeOf<number | null | undefined>()
    expectTypeOf(min<Quest, 'durationMs'>('durationMs')._result).toEqualTypeOf<bigint | null | undefined>()
    expectTypeOf(min<Quest, 'type'>('type')._result).toEqualTypeOf<'A' | 'B' | null | undefined>()
    const early = timestamp((e: Quest) => e.gold)
    expectTypeOf(min<Quest, typeof early>(early)._result).toEqualTypeOf<Date | null | undefined>()
    const half = double((e: Quest) => (e.durationMs === null ? null : e.gold / 2))
    expectTypeOf(min<Quest, typeof half>(half)._result).toEqualTypeOf<number | null | undefined>()
    const name = text((e: Quest) => e.type)
    expectTypeOf(min<Quest, typeof name>(name)._result).toEqualTypeOf<string | null | undefined>()
    // @ts-expect-error a list has no order
    min<Quest, 'tags'>('tags')
  })
})
