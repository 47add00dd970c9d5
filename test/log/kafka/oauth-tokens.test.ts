import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type OauthToken, OauthTokens } from '../../../src/log/kafka/oauth-tokens.js'

const LIFE_MS = 100_000
const clock = { now: () => Date.now(), sleep: (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms)) }

/** A source of tokens `token-1`, `token-2` …, which fails while `broken`. */
class Source {
  readonly name = 'the test'
  asked = 0
  broken = false
  life = LIFE_MS

  async token(): Promise<OauthToken> {
    this.asked++
    await clock.sleep(10)
    if (this.broken) throw new Error('no credentials')
    return { value: `token-${this.asked}`, expiresAt: clock.now() + this.life }
  }
}

describe('OauthTokens', () => {
  let source: Source
  let tokens: OauthTokens
  let warnings: string[]

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 1) })
    source = new Source()
    warnings = []
    tokens = new OauthTokens(source, clock, { warn: text => warnings.push(text), debug: () => undefined })
  })

  afterEach(() => {
    tokens.close()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
    const settled = promise.catch(() => undefined)
    await vi.advanceTimersByTimeAsync(ms)
    await settled
    return promise
  }

  it('asks once for all clients that wait', async () => {
    const both = Promise.all([tokens.current(), tokens.current()])
    expect(await within(20, both)).toEqual(['token-1', 'token-1'])
    expect(await tokens.current()).toBe('token-1')
    expect(source.asked).toBe(1)
  })

  it('gives every client a new token at four fifths of the life of the last one, as long as it follows', async () => {
    const [first, second]: [string[], string[]] = [[], []]
    await within(20, tokens.current())
    const leave = tokens.follow(value => first.push(value))
    tokens.follow(value => second.push(value))
    await vi.advanceTimersByTimeAsync(LIFE_MS * 0.8 - 100)
    expect(source.asked).toBe(1)
    await vi.advanceTimersByTimeAsync(200)
    expect([first, second]).toEqual([['token-2'], ['token-2']])
    leave()
    await vi.advanceTimersByTimeAsync(LIFE_MS)
    expect(first).toEqual(['token-2'])
    expect(second).toEqual(['token-2', 'token-3'])
    expect(await tokens.current()).toBe('token-3')
  })

  it('tries again, ever more rarely, while the source fails, and uses the last token as long as it is good', async () => {
    await within(20, tokens.current())
    source.broken = true
    await vi.advanceTimersByTimeAsync(LIFE_MS * 0.8 + 4_000)
    expect(warnings.length).toBeGreaterThan(2)
    expect(warnings.length).toBeLessThan(6)
    expect(warnings[0]).toMatch(
      /the test gave no new token for Kafka: no credentials\. The one in use is good for 20 s/,
    )
    expect(await tokens.current()).toBe('token-1')
    await vi.advanceTimersByTimeAsync(LIFE_MS)
    expect(warnings.at(-1)).toContain('The one in use has expired; trying again.')
    source.broken = false
    const given: string[] = []
    tokens.follow(value => given.push(value))
    await vi.advanceTimersByTimeAsync(31_000)
    expect(given).toEqual([`token-${source.asked}`])
  })

  it('fails after a few tries where there is no good token', async () => {
    source.broken = true
    await expect(within(10_000, tokens.current())).rejects.toMatchObject({
      code: 'LOG',
      message: expect.stringMatching(/the test gave no token for Kafka: no credentials\. Check the credentials/),
    })
    expect(source.asked).toBe(3)
  })

  it('refuses a token that has expired when it comes', async () => {
    source.life = -1_000
    await expect(within(10_000, tokens.current())).rejects.toThrow(/expired already: check the clock/)
  })

  it('keeps the tokens in use out of messages', async () => {
    await within(20, tokens.current())
    await vi.advanceTimersByTimeAsync(LIFE_MS)
    expect(tokens.redact('token-1 was followed by token-2 and not token-3')).toBe(
      '*** was followed by *** and not token-3',
    )
  })

  it('asks for no more after it was closed', async () => {
    await within(20, tokens.current())
    tokens.close()
    await vi.advanceTimersByTimeAsync(10 * LIFE_MS)
    expect(source.asked).toBe(1)
  })
})
