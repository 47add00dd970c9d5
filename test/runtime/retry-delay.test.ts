import { expect, test } from 'vitest'
import { RetryDelay } from '../../src/runtime/retry-delay.js'

test('waits twice as long after each failure, up to half a minute, and begins anew after a success', () => {
  const delay = new RetryDelay()
  expect(delay.over(0)).toBe(true)
  expect(Array.from({ length: 9 }, () => delay.failed(1_000))).toEqual([
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ])
  expect([delay.over(30_999), delay.over(31_000)]).toEqual([false, true])
  delay.succeeded()
  expect(delay.failed(0)).toBe(250)
})
