import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { last } from '../../src/aggregates/last.js'
import { wellFormed } from '../../src/aggregates/text-order.js'
import type { ColumnType } from '../../src/model/column.js'
import type { Position } from '../../src/topology/measure.js'
import { doubles, ints, longs, texts } from './arbitraries.js'
import { ANYWHERE, type Event, mergeLaws, resultOf, stateOf } from './laws.js'

interface Quest {
  level: number
  name: string | null
}

const of = (type: ColumnType) => last<Quest, 'level'>('level').resolve(type)

function before(a: Position, b: Position): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp
  if (a.topic !== b.topic) return Buffer.compare(Buffer.from(a.topic), Buffer.from(b.topic)) < 0
  if (a.partition !== b.partition) return a.partition < b.partition
  return a.offset === b.offset ? a.index < b.index : a.offset < b.offset
}

function model<I, R>(form: (input: I) => R) {
  return (events: readonly Event<I>[]) => {
    const last = [...events].sort((a, b) => (before(a.at, b.at) ? -1 : 1)).at(-1)
    return last === undefined ? null : form(last.input)
  }
}

mergeLaws('last(int)', of('int'), ints, model(Number))
mergeLaws(
  'last(long)',
  of('long'),
  longs,
  model(x => x),
)
mergeLaws(
  'last(decimal)',
  of('decimal'),
  longs,
  model(x => x),
)
mergeLaws(
  'last(double)',
  of('double'),
  doubles,
  model(x => x),
)
mergeLaws('last(text)', of('text'), texts, model(wellFormed))
mergeLaws('last(bool)', of('bool'), fc.boolean(), model(Boolean))
mergeLaws(
  'last(timestamp)',
  of('timestamp'),
  fc.nat(1e12),
  model(x => new Date(x)),
)
mergeLaws(
  'last(bytes)',
  of('bytes'),
  fc.uint8Array({ maxLength: 4 }),
  model(x => Buffer.from(x)),
)

describe('last', () => {
  it.each([
    ['timestamp', { timestamp: 1 }],
    ['topic', { topic: 'jn' }],
    ['partition', { partition: 1 }],
    ['offset', { offset: 1 }],
    ['index', { index: 1 }],
  ])('looks at the %s of the record, not at arrival', (_, difference) => {
    const early = { input: 'early', at: ANYWHERE }
    const late = { input: 'late', at: { ...ANYWHERE, ...difference } }
    const expected = 'late'
    const text = of('text')
    expect(text.result(stateOf(text, [early, late]))).toBe(expected)
    expect(text.result(stateOf(text, [late, early]))).toBe(expected)
  })

  it('does not keep the position object, which the caller may use again', () => {
    const text = of('text')
    const at = { ...ANYWHERE, offset: 5 }
    const state = text.add(text.zero(), 'a', at)
    at.offset = 9
    const both = text.add(state, 'b', { ...ANYWHERE, offset: 7 })
    expect(text.result(both)).toBe('b')
  })

  it('copies bytes, which may be a view into a batch', () => {
    const input = Buffer.from([1])
    const state = of('bytes').add(undefined, input, ANYWHERE)
    input[0] = 2
    expect(of('bytes').result(state)).toEqual(Buffer.from([1]))
  })

  it('is null of nothing, in a nullable column of its input’s type', () => {
    expect(resultOf(of('long'), [])).toBeNull()
    expect(of('long')).toMatchObject({ signature: 'last(long)', column: 'long', nullable: true })
  })

  it('is typed: the type of the field, or null', () => {
    expectTypeOf(last<Quest, 'level'>('level')._result).toEqualTypeOf<number | null | undefined>()
    expectTypeOf(last<Quest, 'name'>('name')._result).toEqualTypeOf<string | null | undefined>()
    // @ts-expect-error no such field
    last<Quest, 'nope'>('nope')
  })
})
