import { describe, expect, it } from 'vitest'
import { tumbling } from '../../src/windows/tumbling.js'

describe('tumbling', () => {
  it('makes a frozen window in ms, without grace unless given', () => {
    expect(tumbling('1 minute')).toEqual({ type: 'tumbling', size: 60_000, advance: 60_000, grace: 0 })
    expect(tumbling('1 hour', { grace: '30 seconds' })).toEqual({
      type: 'tumbling',
      size: 3_600_000,
      advance: 3_600_000,
      grace: 30_000,
    })
    expect(tumbling('1.5 seconds').size).toBe(1500)
    expect(Object.isFrozen(tumbling('1 minute'))).toBe(true)
  })

  it('refuses a size of zero', () => {
    expect(() => tumbling('0ms')).toThrow(
      "The size of a tumbling window is '0ms', but must be longer than zero. Write for example '1 minute'.",
    )
    expect(() => tumbling('0 days')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('refuses what is not a whole number of milliseconds', () => {
    expect(() => tumbling('0.5ms')).toThrow(expect.objectContaining({ code: 'INVALID_DURATION' }))
    expect(() => tumbling('1 minute', { grace: '0.1ms' })).toThrow(
      expect.objectContaining({ code: 'INVALID_DURATION' }),
    )
    expect(() => tumbling('-1 seconds')).toThrow(expect.objectContaining({ code: 'INVALID_DURATION' }))
  })

  it('is typed', () => {
    // @ts-expect-error not a unit
    expect(() => tumbling('1 mintue')).toThrow()
    // @ts-expect-error not text
    expect(() => tumbling(60_000)).toThrow()
  })
})
