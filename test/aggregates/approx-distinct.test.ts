import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { approxDistinct } from '../../src/aggregates/approx-distinct.js'
import { HyperLogLog } from '../../src/aggregates/hyper-log-log.js'
import { wellFormed } from '../../src/aggregates/text-order.js'
import type { ColumnType } from '../../src/model/column.js'
import { doubles, ints, longs, texts } from './arbitraries.js'
import { type Event, mergeLaws, resultOf } from './laws.js'

interface Quest {
  userId: string
  tags: string[]
}

const of = (type: ColumnType, standardError?: number) =>
  approxDistinct<Quest>('userId', standardError === undefined ? {} : { standardError }).resolve(type)

/** Few values are counted exactly but for equal prefixes of 26 bits, which do not come up here. */
function model<I>(form: (input: I) => unknown) {
  return (events: readonly Event<I>[]) => new Set(events.map(event => form(event.input))).size
}

mergeLaws('approxDistinct(int)', of('int'), fc.oneof(ints, fc.nat(5)), model(Number))
mergeLaws('approxDistinct(long)', of('long'), longs, model(BigInt))
mergeLaws('approxDistinct(double)', of('double'), doubles, model(Number))
mergeLaws('approxDistinct(text)', of('text'), texts, model(wellFormed))
mergeLaws('approxDistinct(bool)', of('bool'), fc.boolean(), model(Boolean))
mergeLaws('approxDistinct(timestamp)', of('timestamp'), fc.nat(5), model(Number))

// 16 registers: dense from the second value, so the laws hold across the change, and the model is the sketch itself.
const coarse = of('int', 0.26)
mergeLaws('approxDistinct(int) with 16 registers', coarse, fc.nat(1000), events =>
  resultOf(
    coarse,
    events.map(event => event.input).sort((a, b) => a - b),
  ),
)

describe('approxDistinct', () => {
  it.each([
    [undefined, 2048],
    [0.023, 2048],
    [0.01625, 4096],
    [0.0040625, 65536],
    [0.26, 16],
  ])('takes the registers that Trino takes for a standard error of %s: %d', (standardError, registers) => {
    expect(of('text', standardError).signature).toBe(`approx-distinct(text, ${registers} registers)`)
  })

  it.each([0.3, 0.004, 0, -1, Number.NaN])('refuses a standard error of %s', standardError => {
    expect(() => of('text', standardError)).toThrow(
      `The standardError of approxDistinct is ${standardError}, but must be from 0.0040625 to 0.26. Leave it out for 0.023.`,
    )
  })

  it.each([0.0040625, 0.023, 0.1])('stays within five standard errors of %s', standardError => {
    for (const count of [10, 300, 5000, 60_000]) {
      const users = Array.from({ length: count }, (_, i) => `user-${i}`)
      const estimate = resultOf(of('text', standardError), users) as number
      expect(Math.abs(estimate - count)).toBeLessThanOrEqual(Math.max(0.5, 5 * standardError * count))
    }
  })

  it('counts up to 251 values exactly, whatever the order', () => {
    const users = Array.from({ length: 251 }, (_, i) => `user-${i}`)
    expect(resultOf(of('text'), users)).toBe(251)
    expect(resultOf(of('text'), [...users, ...users].reverse())).toBe(251)
  })

  it('keeps a state that Airlift reads', () => {
    const aggregation = of('long')
    const state = aggregation.add(aggregation.zero(), 7, {
      timestamp: 0,
      topic: 'in',
      partition: 0,
      offset: 0,
      index: 0,
    })
    const encoded = aggregation.encode(state) as Buffer
    expect(encoded.subarray(0, 4)).toEqual(Buffer.from([2, 11, 1, 0]))
    expect(HyperLogLog.decode(encoded).estimate()).toBe(1)
  })

  it('is a long that is never null', () => {
    expect(of('long')).toMatchObject({ column: 'long', nullable: false, stateSchema: 'bytes' })
    expect(resultOf(of('long'), [])).toBe(0)
  })

  it('refuses what it cannot hash', () => {
    expect(() => of('bytes')).toThrow(
      /approxDistinct takes int, long, double, text, bool, timestamp, but 'userId' is bytes/,
    )
  })

  it('is typed', () => {
    expectTypeOf(approxDistinct<Quest>('userId')._result).toEqualTypeOf<number | undefined>()
    // @ts-expect-error a list is no value
    approxDistinct<Quest>('tags')
  })
})
