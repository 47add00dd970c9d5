import { describe, expect, it } from 'vitest'
import { Backoff } from '../../src/worker/backoff.js'

describe('Backoff', () => {
  it('doubles from 1 second to 60', () => {
    const backoff = new Backoff()
    const waits = Array.from({ length: 9 }, () => backoff.failed(0))
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    expect(backoff.failures).toBe(9)
  })

  it('begins anew after 5 minutes of running, and not a moment before', () => {
    const backoff = new Backoff()
    for (let i = 0; i < 4; i++) backoff.failed(0)
    expect(backoff.failed(299_999)).toBe(16_000)
    expect(backoff.failed(300_000)).toBe(1_000)
    expect(backoff.failures).toBe(1)
    expect(backoff.failed(0)).toBe(2_000)
  })

  it('takes other times', () => {
    const backoff = new Backoff({ firstMs: 10, mostMs: 25, healthyAfterMs: 100 })
    expect([backoff.failed(0), backoff.failed(0), backoff.failed(0), backoff.failed(100)]).toEqual([10, 20, 25, 10])
  })
})
