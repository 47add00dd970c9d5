import { describe, expect, it } from 'vitest'
import { extrema } from '../../src/aggregates/extremum.js'
import { resultOf } from './laws.js'

describe('extrema', () => {
  it('has both ends of every type with an order', () => {
    const [smallest, largest] = [extrema('min'), extrema('max')]
    expect(Object.keys(smallest)).toEqual(['int', 'long', 'decimal', 'double', 'text', 'bool', 'timestamp'])
    expect(Object.keys(largest)).toEqual(Object.keys(smallest))
    expect(resultOf(smallest.text!(), ['b', 'a', 'c'])).toBe('a')
    expect(resultOf(largest.text!(), ['b', 'a', 'c'])).toBe('c')
  })

  it('names what the state means', () => {
    expect(extrema('min').long!().signature).toBe('min(long)')
    expect(extrema('max').double!().signature).toBe('max(double)')
  })
})
