import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Attempt } from '../../src/runtime/attempt.js'

describe('an attempt', () => {
  it('has no result before it is settled', async () => {
    let answer: (value: number) => void = () => undefined
    const attempt = new Attempt(new Promise<number>(resolve => (answer = resolve)))
    await turn()
    expect(attempt.settled).toBe(false)
    expect(() => attempt.result()).toThrow('has not settled')
    answer(7)
    await turn()
    expect(attempt.settled).toBe(true)
    expect(attempt.result()).toBe(7)
    expect(attempt.result()).toBe(7)
  })

  it('that failed throws what it failed with, and is no unhandled rejection before', async () => {
    const attempt = new Attempt(Promise.reject(new Error('The server is away.')))
    await turn()
    await turn()
    expect(attempt.settled).toBe(true)
    expect(() => attempt.result()).toThrow('The server is away.')
  })
})
