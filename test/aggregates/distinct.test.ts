import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { distinct } from '../../src/aggregates/distinct.js'
import { wellFormed } from '../../src/aggregates/text-order.js'
import type { ColumnType } from '../../src/model/column.js'
import { doubles, ints, longs, texts } from './arbitraries.js'
import { ANYWHERE, type Event, mergeLaws, resultOf, stateBytes, stateOf } from './laws.js'

interface Quest {
  userId: string
  level: number | null
  tags: string[]
}

const of = (type: ColumnType, limit = 10_000) => distinct<Quest>('userId', { limit }).resolve(type)

function model<I>(form: (input: I) => unknown) {
  return (events: readonly Event<I>[]) => new Set(events.map(event => form(event.input))).size
}

const few = fc.constantFrom('a', 'b', 'c')

mergeLaws('distinct(int)', of('int'), fc.oneof(ints, fc.nat(5)), model(Number))
mergeLaws('distinct(long)', of('long'), longs, model(BigInt))
mergeLaws('distinct(decimal)', of('decimal'), longs, model(BigInt))
mergeLaws('distinct(double)', of('double'), doubles, model(Number))
mergeLaws('distinct(text)', of('text'), fc.oneof(texts, few), model(wellFormed))
mergeLaws('distinct(bool)', of('bool'), fc.boolean(), model(Boolean))
mergeLaws('distinct(timestamp)', of('timestamp'), fc.nat(5), model(Number))

describe('distinct beyond its limit', () => {
  const limited = of('text', 2)
  const { bytes } = stateBytes(limited)
  const state = (...inputs: string[]) =>
    stateOf(
      limited,
      inputs.map(input => ({ input, at: ANYWHERE })),
    )

  it('names the limit and the way out', () => {
    expect(resultOf(limited, ['a', 'b', 'a'])).toBe(2)
    expect(() => resultOf(limited, ['a', 'b', 'c'])).toThrow(
      'distinct met more than 2 different values in one window of one key, its limit. Use approxDistinct, which needs no limit, or give distinct a larger one: { limit: … }.',
    )
    expect(() => resultOf(limited, ['a', 'b', 'c'])).toThrow(expect.objectContaining({ code: 'DISTINCT_LIMIT' }))
  })

  it('has the same bytes in any order, since it absorbs all others', () => {
    fc.assert(
      fc.property(fc.array(few), fc.array(few), fc.array(few), (a, b, c) => {
        const expected = bytes(state(...a, ...b, ...c))
        expect(bytes(limited.merge(limited.merge(state(...a), state(...b)), state(...c)))).toBe(expected)
        expect(bytes(limited.merge(state(...c), limited.merge(state(...b), state(...a))))).toBe(expected)
        expect(bytes(state(...c, ...a, ...b))).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('stays beyond it when it is stored, loaded and added to', () => {
    const { trip } = stateBytes(limited)
    const overflown = trip(state('a', 'b', 'c'))
    expect(() => limited.result(limited.add(overflown, 'a', ANYWHERE))).toThrow(/more than 2/)
    expect(() => limited.result(limited.merge(limited.zero(), trip(overflown)))).toThrow(/more than 2/)
  })

  it('holds for state that was stored under a larger limit', () => {
    const stored = of('text', 3).encode(state('a', 'b'))
    expect(limited.result(limited.decode(stored))).toBe(2)
    const larger = of('text', 3)
    const three = larger.encode(
      stateOf(
        larger,
        ['a', 'b', 'c'].map(input => ({ input, at: ANYWHERE })),
      ),
    )
    expect(() => limited.result(limited.decode(three))).toThrow(/more than 2/)
  })
})

describe('distinct', () => {
  it('counts 0 and -0 as one, and all NaN as one', () => {
    expect(resultOf(of('double'), [0, -0, Number.NaN, -Number.NaN])).toBe(2)
  })

  it('counts a long as number and as bigint as one', () => {
    expect(resultOf(of('long'), [5, 5n, 2n ** 60n, 2n ** 60n])).toBe(2)
  })

  it('has a limit of 10,000 by default', () => {
    const aggregation = distinct<Quest>('userId').resolve('int')
    const numbers = Array.from({ length: 10_001 }, (_, i) => i)
    expect(resultOf(aggregation, numbers.slice(1))).toBe(10_000)
    expect(() => resultOf(aggregation, numbers)).toThrow(/10000/)
  })

  it('is a long, null in rows where the limit was passed', () => {
    expect(of('text')).toMatchObject({
      signature: 'distinct(text)',
      column: 'long',
      nullable: true,
      resultSchema: ['null', 'long'],
    })
    expect(resultOf(of('text'), [])).toBe(0)
  })

  it('refuses a limit that is none', () => {
    for (const limit of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(() => distinct<Quest>('userId', { limit })).toThrow(
        `The limit of distinct is ${limit}, but must be a whole number above zero. Leave it out for 10000.`,
      )
    }
  })

  it('refuses bytes', () => {
    expect(() => of('bytes')).toThrow(/distinct takes int, long, decimal, double, text, bool, timestamp, but/)
  })

  it('is typed', () => {
    expectTypeOf(distinct<Quest>('level')._result).toEqualTypeOf<number | null | undefined>()
    // @ts-expect-error a list is no value
    distinct<Quest>('tags')
  })
})
