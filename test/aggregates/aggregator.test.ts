import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { aggregator } from '../../src/aggregates/aggregator.js'
import type { Measure, Position } from '../../src/topology/measure.js'
import { ANYWHERE, mergeLaws, resultOf, stateBytes } from './laws.js'

interface Quest {
  level: number
  name: string
}

const spread = aggregator({
  state: { type: 'array', items: 'int' },
  zero: [] as number[],
  add: (state, quest: Quest) => [Math.min(quest.level, ...state), Math.max(quest.level, ...state)],
  merge: (a, b) => (a.length + b.length === 0 ? [] : [Math.min(...a, ...b), Math.max(...a, ...b)]),
  result: ([low = 0, high = 0]) => high - low,
  column: 'int',
  resultSchema: 'int',
})

const quests = fc.integer({ min: -100, max: 100 }).map(level => ({ level, name: 'x' }))

mergeLaws('aggregator', spread.resolve(undefined), quests, events => {
  const levels = events.map(event => event.input.level)
  return levels.length === 0 ? 0 : Math.max(...levels) - Math.min(...levels)
})

const joined = aggregator({
  state: 'string',
  zero: () => '',
  add: (state, quest: Quest | null) => (quest === null ? null : state + quest.name),
})

describe('aggregator', () => {
  it('is custom, and mergeable with merge only', () => {
    expect(spread.resolve(undefined)).toMatchObject({
      signature: 'custom',
      custom: true,
      mergeable: true,
      column: 'int',
      resultSchema: 'int',
      nullable: true,
    })
    expect(joined.resolve(undefined)).toMatchObject({ custom: true, mergeable: false, column: undefined })
    expect(() => joined.resolve(undefined).merge('a', 'b')).toThrow(/has no merge/)
  })

  it('gives its state as result, with the state’s schema, unless told otherwise', () => {
    const aggregation = joined.resolve(undefined)
    expect(
      resultOf(aggregation, [
        { level: 1, name: 'a' },
        { level: 1, name: 'b' },
      ]),
    ).toBe('ab')
    expect(aggregation.resultSchema).toBe('string')
    expect(aggregation.zeroDefault).toBe('')
  })

  it('passes null on, which deletes the row', () => {
    expect(joined.resolve(undefined).add('a', null, ANYWHERE)).toBeNull()
  })

  it('calls a zero that is a function each time', () => {
    const { zero } = aggregator({
      state: { type: 'map', values: 'int' },
      zero: () => ({}),
      add: state => state,
    }).resolve(undefined)
    expect(zero()).toEqual({})
    expect(zero()).not.toBe(zero())
  })

  it('tells add where the record was read', () => {
    const seen: Position[] = []
    const watching = aggregator({
      state: 'int',
      zero: 0,
      add: (state, _: Quest, at) => {
        seen.push(at)
        return state
      },
    })
    resultOf(watching.resolve(undefined), [{ level: 1, name: 'a' }])
    expect(seen).toEqual([ANYWHERE])
  })

  it('keeps a zero of bytes as default that avsc reads', () => {
    const bytes = aggregator({ state: 'bytes', zero: Buffer.from([0, 200]), add: state => state }).resolve(undefined)
    expect(bytes.zeroDefault).toBe('\u0000È')
    expect(stateBytes(bytes).trip(bytes.zero())).toEqual(Buffer.from([0, 200]))
  })

  it('refuses a zero that is not JSON', () => {
    expect(() => aggregator({ state: 'long', zero: 0n, add: state => state })).toThrow(
      expect.objectContaining({ code: 'INVALID_TOPOLOGY' }),
    )
  })

  it('is a frozen measure with the where it was given, without input', () => {
    const measure = aggregator<Quest, number>({ state: 'int', zero: 0, add: state => state + 1, where: { name: 'a' } })
    expect(measure).toMatchObject({ kind: 'aggregator', where: { name: 'a' } })
    expect('input' in measure).toBe(false)
    expect(Object.isFrozen(measure)).toBe(true)
  })

  it('is typed', () => {
    expectTypeOf(spread._result).toEqualTypeOf<number | undefined>()
    expectTypeOf(joined._result).toEqualTypeOf<string | undefined>()
    const take = (measure: Measure<Quest, unknown>) => measure
    take(aggregator({ state: 'int', zero: 0, add: (state, quest) => state + quest.level }))
    // @ts-expect-error no such field
    take(aggregator({ state: 'int', zero: 0, add: (state, quest) => state + quest.nope }))
    // @ts-expect-error the state is a number
    take(aggregator({ state: 'int', zero: 0, add: (_, quest) => quest.name }))
  })
})
