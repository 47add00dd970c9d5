import { describe, expect, it } from 'vitest'
import { hopping } from '../../src/windows/hopping.js'

describe('hopping', () => {
  it('makes a frozen window in ms, without grace unless given', () => {
    expect(hopping('1 hour', { advance: '5 minutes' })).toEqual({
      type: 'hopping',
      size: 3_600_000,
      advance: 300_000,
      grace: 0,
    })
    expect(hopping('10ms', { advance: '10ms', grace: '1 day' })).toEqual({
      type: 'hopping',
      size: 10,
      advance: 10,
      grace: 86_400_000,
    })
    expect(Object.isFrozen(hopping('2ms', { advance: '1ms' }))).toBe(true)
  })

  it('refuses an advance longer than the size', () => {
    expect(() => hopping('1 minute', { advance: '61 seconds' })).toThrow(
      "A hopping window of '1 minute' cannot advance by '61 seconds': records between two windows would be in none. Advance by at most '1 minute'.",
    )
    expect(() => hopping('1ms', { advance: '2ms' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('refuses zero', () => {
    expect(() => hopping('0ms', { advance: '1ms' })).toThrow(/The size of a hopping window is '0ms'/)
    expect(() => hopping('1ms', { advance: '0ms' })).toThrow(/The advance of a hopping window is '0ms'/)
  })

  it('refuses what is not a whole number of milliseconds', () => {
    expect(() => hopping('1 second', { advance: '0.3ms' })).toThrow(
      expect.objectContaining({ code: 'INVALID_DURATION' }),
    )
  })
})
