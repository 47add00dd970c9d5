import { describe, expect, expectTypeOf, it } from 'vitest'
import { approxDistinct } from '../../src/aggregates/approx-distinct.js'
import { count } from '../../src/aggregates/count.js'
import { distinct } from '../../src/aggregates/distinct.js'
import {
  bool,
  double,
  int,
  type KeysOf,
  long,
  type Sel,
  text,
  timestamp,
  type ValueOf,
  type Where,
} from '../../src/aggregates/field.js'
import { first } from '../../src/aggregates/first.js'
import { last } from '../../src/aggregates/last.js'
import { max } from '../../src/aggregates/max.js'
import { mean } from '../../src/aggregates/mean.js'
import { min } from '../../src/aggregates/min.js'
import { sum } from '../../src/aggregates/sum.js'
import type { Expression, Measure } from '../../src/topology/measure.js'

interface Quest {
  type: string
  status: 'STARTED' | 'COMPLETED'
  gold: number
  durationMs: bigint | null
  open: boolean
  occurredAt: Date
}

/** Stands for `aggregate`: it gives V from outside, the measures give the row. */
function measured<V>() {
  return <A extends { readonly [name: string]: Measure<V, unknown> }>(
    measures: A,
  ): { readonly [N in keyof A]: A[N] extends Measure<never, infer R> ? R : never } =>
    measures as unknown as { readonly [N in keyof A]: A[N] extends Measure<never, infer R> ? R : never }
}

describe('expressions', () => {
  it('are frozen, typed and evaluate', () => {
    const half = double((e: Quest) => e.gold / 2)
    expect(half).toMatchObject({ kind: 'expression', type: 'double' })
    expect(Object.isFrozen(half)).toBe(true)
    expect(half.evaluate({ gold: 3 } as Quest)).toBe(1.5)
    const types = [int(() => 1), long(() => 1), double(() => 1), text(() => ''), bool(() => true), timestamp(() => 1)]
    expect(types.map(({ type }) => type)).toEqual(['int', 'long', 'double', 'text', 'bool', 'timestamp'])
  })

  it('make Dates of timestamps', () => {
    expect(timestamp(() => 5).evaluate(null)).toEqual(new Date(5))
    expect(timestamp(() => new Date(6)).evaluate(null)).toEqual(new Date(6))
  })

  it('make null of what is missing', () => {
    const missing = text((e: { name?: string }) => e.name as string)
    expect(missing.evaluate({})).toBeNull()
  })

  it('refuse what their type cannot hold', () => {
    expect(() => int(() => 1.5).evaluate(null)).toThrow(
      'An expression declared as int answered 1.5, but must answer a whole number from -2147483648 to 2147483647, or null. Correct its function or declare another type.',
    )
    expect(() => long(() => 2 ** 53).evaluate(null)).toThrow(expect.objectContaining({ code: 'USER_CODE' }))
    expect(long(() => 2n ** 53n).evaluate(null)).toBe(2n ** 53n)
  })
})

describe('types', () => {
  it('name the fields of a type', () => {
    expectTypeOf<KeysOf<Quest, number | bigint>>().toEqualTypeOf<'gold' | 'durationMs'>()
    expectTypeOf<KeysOf<Quest, string>>().toEqualTypeOf<'type' | 'status'>()
    expectTypeOf<KeysOf<Quest, Date>>().toEqualTypeOf<'occurredAt'>()
  })

  it('know what a selector holds', () => {
    expectTypeOf<ValueOf<Quest, 'durationMs'>>().toEqualTypeOf<bigint | null>()
    expectTypeOf<ValueOf<Quest, Expression<Quest, number>>>().toEqualTypeOf<number>()
    expectTypeOf<Expression<Quest, string | null>>().toExtend<Sel<Quest, string>>()
    expectTypeOf<'type'>().toExtend<Sel<Quest | null, string>>()
  })

  it('check predicates', () => {
    expectTypeOf<{ status: 'STARTED'; gold: [1, 2] }>().toExtend<Where<Quest>>()
    expectTypeOf<{ status: 'ENDED' }>().not.toExtend<Where<Quest>>()
    expectTypeOf<{ stat: 'STARTED' }>().not.toEqualTypeOf<Where<Quest>>()
  })

  it('infer a row from measures', () => {
    const row = measured<Quest>()({
      records: count(),
      completions: count({ where: { status: 'COMPLETED' } }),
      some: count({ where: { status: ['COMPLETED', 'STARTED'] } }),
      big: count({ where: e => e.gold > 100 }),
      gold: sum('gold'),
      tax: sum(double(e => e.gold * 0.1)),
      milliseconds: sum('durationMs', { where: e => e.open }),
      average: mean('gold'),
      longest: max('durationMs'),
      shortest: min(double(e => (e.durationMs === null ? null : Number(e.durationMs)))),
      firstType: first('type'),
      lastStatus: last('status'),
      latest: max('occurredAt'),
      earliest: min(timestamp(e => e.gold)),
      types: distinct('type', { limit: 5 }),
      users: approxDistinct(
        text(e => e.type),
        { standardError: 0.1 },
      ),
      doubled: max(long(e => e.gold * 2)),
      any: max(bool(e => e.open)),
    })
    expectTypeOf<typeof row>().toEqualTypeOf<{
      readonly records: number
      readonly completions: number
      readonly some: number
      readonly big: number
      readonly gold: number
      readonly tax: number
      readonly milliseconds: number
      readonly average: number | null
      readonly longest: bigint | null
      readonly shortest: number | null
      readonly firstType: string | null
      readonly lastStatus: 'STARTED' | 'COMPLETED' | null
      readonly latest: Date | null
      readonly earliest: Date | null
      readonly types: number | null
      readonly users: number
      readonly doubled: number | null
      readonly any: boolean | null
    }>()
    expect(Object.keys(row)).toHaveLength(18)
  })

  it('report a mistake at its measure', () => {
    const measures = measured<Quest>()({
      records: count(),
      // @ts-expect-error no such field
      a: sum('silver'),
      // @ts-expect-error text cannot be summed
      b: sum('type'),
      // @ts-expect-error no such field
      c: sum(double(e => e.nope)),
      // @ts-expect-error not a number
      d: sum(double(e => e.type)),
      // @ts-expect-error no such field
      e: count({ where: { stat: 'STARTED' } }),
      // @ts-expect-error no such value
      f: count({ where: { status: 'ENDED' } }),
      // @ts-expect-error no such field
      g: count({ where: e => e.nope > 1 }),
      // @ts-expect-error no such field
      h: max('silver'),
      // @ts-expect-error text has no mean
      i: mean(text(e => e.type)),
      // @ts-expect-error no such field
      j: approxDistinct('userId'),
      // @ts-expect-error no such field
      k: first('userId'),
      gold: sum('gold'),
    })
    expect(Object.keys(measures)).toHaveLength(13)
  })

  it('take the fields of values that may be null', () => {
    const row = measured<Quest | null>()({
      gold: sum('gold', { where: { status: 'STARTED' } }),
      tax: sum(double(e => (e === null ? null : e.gold))),
      top: max('gold'),
    })
    expectTypeOf<typeof row>().toEqualTypeOf<{
      readonly gold: number
      readonly tax: number
      readonly top: number | null
    }>()
  })
})
