import { afterEach, describe, expect, it, vi } from 'vitest'
import { OpenResources } from '../../src/cli/open-resources.js'

afterEach(() => {
  vi.useRealTimers()
})

describe('OpenResources', () => {
  it('closes in reverse order, each once', async () => {
    const closed: string[] = []
    const resources = new OpenResources()
    for (const name of ['log', 'warehouse', 'process']) resources.add(async () => void closed.push(name))
    await resources.close()
    await resources.close()
    await resources.abandon()
    expect(closed).toEqual(['process', 'warehouse', 'log'])
  })

  it('after a failure it abandons what it can, and the rest all the same', async () => {
    const closed: string[] = []
    const resources = new OpenResources()
    resources.add(async () => void closed.push('log'))
    resources.add(async () => {
      throw new Error('gone')
    })
    resources.add(
      async () => void closed.push('committed'),
      async () => void closed.push('killed'),
    )
    await resources.abandon()
    expect(closed).toEqual(['killed', 'log'])
  })

  it('what fails to close is reported, and can be abandoned with the others', async () => {
    const closed: string[] = []
    const resources = new OpenResources()
    resources.add(async () => void closed.push('log'))
    resources.add(() => Promise.reject(new Error('gone')))
    await expect(resources.close()).rejects.toThrow('gone')
    await resources.abandon()
    expect(closed).toEqual(['log'])
  })

  it('does not wait longer than ten seconds', async () => {
    vi.useFakeTimers()
    const resources = new OpenResources()
    resources.add(() => new Promise(() => undefined))
    let ended = false
    const abandoning = resources.abandon().then(() => {
      ended = true
    })
    await vi.advanceTimersByTimeAsync(9_999)
    expect(ended).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await abandoning
    expect(ended).toBe(true)
  })
})
