import { describe, expect, it } from 'vitest'
import { count } from '../../src/aggregates/count.js'
import { double } from '../../src/aggregates/field.js'
import { fieldMeasure, wholeValueMeasure } from '../../src/aggregates/measure-of.js'

const aggregation = count().resolve(undefined)

describe('wholeValueMeasure', () => {
  it('is frozen and always has its aggregation', () => {
    const measure = wholeValueMeasure('count', { where: { a: 1 } }, aggregation)
    expect(measure).toMatchObject({ kind: 'count', where: { a: 1 } })
    expect(Object.isFrozen(measure)).toBe(true)
    expect(measure.resolve(undefined)).toBe(aggregation)
    expect('where' in wholeValueMeasure('count', {}, aggregation)).toBe(false)
  })
})

describe('fieldMeasure', () => {
  const measure = fieldMeasure('tally', 'level', undefined, { int: () => aggregation, text: () => aggregation })

  it('has the aggregation of its input’s type', () => {
    expect(measure).toMatchObject({ kind: 'tally', input: 'level' })
    expect(measure.resolve('text')).toBe(aggregation)
  })

  it('refuses other types, naming field, type and what it takes', () => {
    expect(() => measure.resolve('bool')).toThrow(
      "tally('level'): tally takes int, text, but 'level' is bool. Name another field, or give a typed expression such as double(e => …).",
    )
    expect(() => measure.resolve(undefined)).toThrow(/but 'level' is of an unknown type/)
    const computed = fieldMeasure(
      'tally',
      double(() => 1),
      undefined,
      { int: () => aggregation },
    )
    expect(() => computed.resolve('double')).toThrow(/^tally\(…\): tally takes int, but its expression is double\./)
  })
})
