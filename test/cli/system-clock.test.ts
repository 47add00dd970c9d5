import { expect, it } from 'vitest'
import { systemClock } from '../../src/cli/system-clock.js'

it('tells the time, and sleeps', async () => {
  const before = Date.now()
  expect(systemClock.now()).toBeGreaterThanOrEqual(before)
  await systemClock.sleep(20)
  expect(systemClock.now() - before).toBeGreaterThanOrEqual(19)
})
