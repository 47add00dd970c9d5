import { describe, expect, it } from 'vitest'
import { graceOf, positive } from '../../src/windows/grace.js'

describe('graceOf', () => {
  it('is zero unless given', () => {
    expect(graceOf(undefined)).toBe(0)
    expect(graceOf({})).toBe(0)
    expect(graceOf({ grace: '0ms' })).toBe(0)
    expect(graceOf({ grace: '2 minutes' })).toBe(120_000)
  })
})

describe('positive', () => {
  it('takes every length of time but zero', () => {
    expect(positive('The size', '1ms')).toBe(1)
    expect(() => positive('The size', '0 hours')).toThrow("The size is '0 hours', but must be longer than zero.")
  })
})
