import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { double, text, timestamp } from '../../src/aggregates/field.js'
import { max } from '../../src/aggregates/max.js'
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
  max<Quest, 'gold'>('gold').resolve(type)

function model<I, T>(form: (input: I) => T, isBelow: (a: T, b: T) => boolean) {
  return (events: readonly Event<I>[]) => {
    const sorted = events.map(event => form(event.input)).sort((a, b) => (isBelow(a, b) ? -1 : isBelow(b, a) ? 1 : 0))
    return sorted.at(-1) ?? null
  }
}

const byNumber = (a: number | bigint, b: number | bigint) => BigInt(a) < BigInt(b)
const byDouble = (a: number, b: number) =>
  a < b || (!Number.isNaN(a) && Number.isNaN(b)) || (Object.is(a, -0) && Object.is(b, 0))

mergeLaws('max(int)', of('int'), ints, model(Number, byNumber))
mergeLaws(
  'max(long)',
  of('long'),
  longs,
  model(x => x, byNumber),
)
mergeLaws(
  'max(decimal)',
  of('decimal'),
  longs,
  model(x => x, byNumber),
)
mergeLaws(
  'max(text)',
  of('text'),
  texts,
  model(wellFormed, (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0),
)
mergeLaws(
  'max(bool)',
  of('bool'),
  fc.boolean(),
  model(Boolean, (a, b) => !a && b),
)
mergeLaws('max(timestamp)', of('timestamp'), fc.nat(10), events => {
  const best = model((n: number) => n, byNumber)(events)
  return best === null ? null : new Date(Number(best))
})
mergeLaws(
  'max(double)',
  of('double'),
  doubles,
  model(x => x, byDouble),
)

describe('max', () => {
  it('is exact beyond 2^53', () => {
    const near = [2n ** 53n + 1n, 2n ** 53n, 2 ** 53 - 1, 2n ** 53n + 2n]
    expect(resultOf(of('long'), near)).toBe(2n ** 53n + 2n)
    const far = [2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n), 1n - 2n ** 63n]
    expect(resultOf(of('long'), far)).toBe(2n ** 63n - 1n)
  })

  it('puts NaN above all numbers and -0 below 0', () => {
    expect(resultOf(of('double'), [1, Number.NaN, Infinity])).toBe(Number.NaN)
    expect(resultOf(of('double'), [Number.NaN])).toBeNaN()
    expect(resultOf(of('double'), [0, -0])).toBe(0)
  })

  it('takes timestamps as Dates and as ms', () => {
    expect(resultOf(of('timestamp'), [new Date(5), 5])).toEqual(new Date(5))
  })

  it('is null of nothing, in a nullable column of its input’s type', () => {
    expect(resultOf(of('text'), [])).toBeNull()
    expect(of('text')).toMatchObject({
      signature: 'max(text)',
      column: 'text',
      nullable: true,
      resultSchema: ['null', 'string'],
    })
  })

  it('refuses bytes', () => {
    expect(() => max<Quest, 'gold'>('gold').resolve('bytes')).toThrow(
      /max takes int, long, decimal, double, text, bool, timestamp/,
    )
  })

  it('is typed: the type of the field, or null', () => {
    expectTypeOf(max<Quest, 'gold'>('gold')._result).toEqualTypeOf<number | null | undefined>()
    expectTypeOf(max<Quest, 'durationMs'>('durationMs')._result).toEqualTypeOf<bigint | null | undefined>()
    expectTypeOf(max<Quest, 'type'>('type')._result).toEqualTypeOf<'A' | 'B' | null | undefined>()
    const early = timestamp((e: Quest) => e.gold)
    expectTypeOf(max<Quest, typeof early>(early)._result).toEqualTypeOf<Date | null | undefined>()
    const half = double((e: Quest) => (e.durationMs === null ? null : e.gold / 2))
    expectTypeOf(max<Quest, typeof half>(half)._result).toEqualTypeOf<number | null | undefined>()
    const name = text((e: Quest) => e.type)
    expectTypeOf(max<Quest, typeof name>(name)._result).toEqualTypeOf<string | null | undefined>()
    // @ts-expect-error a list has no order
    max<Quest, 'tags'>('tags')
  })
})
