import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { approxDistinct } from '../../src/aggregates/approx-distinct.js'
import { distinctSketch } from '../../src/aggregates/distinct-sketch.js'
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
  distinctSketch<Quest>('userId', standardError === undefined ? {} : { standardError }).resolve(type)

/** The sketch of the different values in another order: it depends on their set alone. */
function model<I>(type: ColumnType, form: (input: I) => unknown) {
  return (events: readonly Event<I>[]) =>
    resultOf(of(type), [...new Set(events.map(event => form(event.input)))].reverse())
}

mergeLaws('distinctSketch(int)', of('int'), fc.oneof(ints, fc.nat(5)), model('int', Number))
mergeLaws('distinctSketch(long)', of('long'), longs, model('long', BigInt))
mergeLaws('distinctSketch(double)', of('double'), doubles, model('double', Number))
mergeLaws('distinctSketch(text)', of('text'), texts, model('text', wellFormed))
mergeLaws('distinctSketch(bool)', of('bool'), fc.boolean(), model('bool', Boolean))
mergeLaws('distinctSketch(timestamp)', of('timestamp'), fc.nat(5), model('timestamp', Number))

const coarse = of('int', 0.26)
mergeLaws('distinctSketch(int) with 16 registers', coarse, fc.nat(1000), events =>
  resultOf(
    coarse,
    events.map(event => event.input).sort((a, b) => a - b),
  ),
)

describe('distinctSketch', () => {
  it('is the bytes of a sketch with as many registers as approx_set has in Trino', () => {
    const users = Array.from({ length: 3 }, (_, i) => `user-${i}`)
    const bytes = resultOf(of('text'), users) as Buffer
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from([2, 12, 3, 0]))
    expect(HyperLogLog.decode(bytes).estimate()).toBe(3)
    expect(of('text').signature).toBe('distinct-sketch(text, 4096 registers)')
  })

  it('is the empty sketch where nothing was counted', () => {
    expect(resultOf(of('text'), [])).toEqual(Buffer.from([2, 12, 0, 0]))
    expect(of('text')).toMatchObject({ column: 'bytes', nullable: false, stateSchema: 'bytes', resultSchema: 'bytes' })
  })

  it('counts as approxDistinct does with as many registers', () => {
    const users = Array.from({ length: 20_000 }, (_, i) => `user-${i}`)
    const counted = resultOf(approxDistinct<Quest>('userId', { standardError: 0.01625 }).resolve('text'), users)
    expect(HyperLogLog.decode(resultOf(of('text'), users) as Buffer).estimate()).toBe(counted)
  })

  it.each([0.0040625, 0.01625, 0.26])('is never longer than it says, with a standard error of %s', standardError => {
    const aggregation = of('long', standardError)
    for (const count of [1, 10, 500, 9000, 100_000]) {
      const bytes = resultOf(
        aggregation,
        Array.from({ length: count }, (_, i) => i),
      ) as Buffer
      expect(bytes.length).toBeLessThanOrEqual(aggregation.maxBytes as number)
    }
  })

  it('names itself where it refuses', () => {
    expect(() => of('text', 0.3)).toThrow(
      'The standardError of distinctSketch is 0.3, but must be from 0.0040625 to 0.26. Leave it out for 0.01625.',
    )
    expect(() => of('bytes')).toThrow(/distinctSketch takes int, long, double, text, bool, timestamp/)
  })

  it('is typed', () => {
    expectTypeOf(distinctSketch<Quest>('userId')._result).toEqualTypeOf<Buffer | undefined>()
    // @ts-expect-error a list is no value
    distinctSketch<Quest>('tags')
  })
})
