import { describe, expect, it } from 'vitest'
import { positionedAggregations } from '../../src/aggregates/positioned.js'
import { ANYWHERE, stateOf } from './laws.js'

describe('positionedAggregations', () => {
  it('take every type', () => {
    expect(Object.keys(positionedAggregations('first'))).toEqual([
      'int',
      'long',
      'decimal',
      'double',
      'text',
      'bool',
      'timestamp',
      'bytes',
    ])
  })

  it('settle equal positions by value, so that order does not matter even there', () => {
    for (const [kind, expected] of [
      ['first', 'a'],
      ['last', 'b'],
    ] as const) {
      const text = positionedAggregations(kind).text!()
      const [a, b] = ['a', 'b'].map(input => ({ input, at: ANYWHERE }))
      expect(text.result(stateOf(text, [a!, b!]))).toBe(expected)
      expect(text.result(stateOf(text, [b!, a!]))).toBe(expected)
      expect(text.result(text.merge(stateOf(text, [b!]), stateOf(text, [a!])))).toBe(expected)
    }
  })

  it('order topics by their bytes', () => {
    const text = positionedAggregations('first').text!()
    const events = ['b', 'a'].map(topic => ({ input: topic, at: { ...ANYWHERE, topic } }))
    expect(text.result(stateOf(text, events))).toBe('a')
  })
})
