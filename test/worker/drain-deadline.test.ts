import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { drainDeadline } from '../../src/worker/drain-deadline.js'

const outcome = (passed: Promise<never>, withinMs: number) =>
  Promise.race([passed.catch((thrown: unknown) => thrown), sleep(withinMs, 'not passed')])

describe('drainDeadline', () => {
  it('passes the given time after the signal, and says who is left by then', async () => {
    const draining = new AbortController()
    let left = 'processes 0 and 1'
    const { passed } = drainDeadline(draining.signal, 50, () => left)
    expect(await outcome(passed, 100)).toBe('not passed')
    draining.abort()
    left = 'process 1'
    expect(await outcome(passed, 10_000)).toMatchObject({
      code: 'DRAIN_TIMEOUT',
      message: expect.stringMatching(/within 0\.05 s: process 1 was ended at once\..*--drain-timeout/),
    })
  })

  it('counts from now where the signal came before', async () => {
    const { passed } = drainDeadline(AbortSignal.abort(), 20, () => 'process 0')
    expect(await outcome(passed, 10_000)).toMatchObject({ code: 'DRAIN_TIMEOUT' })
  })

  it('never passes once all have left', async () => {
    const draining = new AbortController()
    const { passed, dispose } = drainDeadline(draining.signal, 20, () => 'process 0')
    draining.abort()
    dispose()
    expect(await outcome(passed, 100)).toBe('not passed')
  })
})
