import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { count } from '../../src/aggregates/count.js'
import { mergeLaws, resultOf } from './laws.js'

const counted = count<{ n: number }>().resolve(undefined)

mergeLaws('count', counted, fc.constantFrom(null, { n: 1 }), events => events.length)

describe('count', () => {
  it('counts records with a null value, and nothing as 0', () => {
    expect(resultOf(counted, [null, { n: 1 }, null])).toBe(3)
    expect(resultOf(counted, [])).toBe(0)
  })

  it('is a long that is never null', () => {
    expect(counted).toMatchObject({
      signature: 'count',
      mergeable: true,
      custom: false,
      column: 'long',
      nullable: false,
    })
  })

  it('is a frozen measure without input, with the where it was given', () => {
    const measure = count<{ type: 'A' | 'B' }>({ where: { type: 'A' } })
    expect(measure).toMatchObject({ kind: 'count', where: { type: 'A' } })
    expect(measure.input).toBeUndefined()
    expect(Object.isFrozen(measure)).toBe(true)
    expect(count()).not.toHaveProperty('where')
  })

  it('is typed', () => {
    expectTypeOf(count<{ n: number }>()._result).toEqualTypeOf<number | undefined>()
    // @ts-expect-error no such field
    count<{ n: number }>({ where: { m: 1 } })
    // @ts-expect-error a field's value of another type
    count<{ n: number }>({ where: { n: '1' } })
  })
})
