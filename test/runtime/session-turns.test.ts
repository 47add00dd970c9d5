import { describe, expect, it } from 'vitest'
import { SessionTurns } from '../../src/runtime/session-turns.js'

function work(done: string[], name: string) {
  let finish = (): void => undefined
  const run = () =>
    new Promise<string>(resolve => {
      finish = () => {
        done.push(name)
        resolve(name)
      }
    })
  return { run, finish: () => finish() }
}

describe('turns of a session', () => {
  it('are one at a time, the earliest deadline first', async () => {
    const turns = new SessionTurns(() => 0)
    const done: string[] = []
    const [first, late, early] = [work(done, 'first'), work(done, 'late'), work(done, 'early')]
    const all = [turns.take(300, first.run), turns.take(200, late.run), turns.take(100, early.run)]
    for (const one of [late, early, first, early, late]) {
      one.finish()
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(await Promise.all(all)).toEqual(['first', 'late', 'early'])
    expect(done).toEqual(['first', 'early', 'late'])
    expect(turns.idle).toBe(true)
  })

  it('go on after work that fails', async () => {
    const turns = new SessionTurns(() => 0)
    await expect(turns.take(0, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await turns.take(0, async () => 1)).toBe(1)
  })

  it('do not begin any more when the permit goes, and what is under way ends', async () => {
    const turns = new SessionTurns(() => 0)
    const done: string[] = []
    const [running, waiting] = [work(done, 'running'), work(done, 'waiting')]
    const [a, b] = [turns.take(0, running.run), turns.take(0, waiting.run)]
    turns.end()
    expect(await b).toBeUndefined()
    expect(turns.idle).toBe(false)
    running.finish()
    expect(await a).toBe('running')
    expect(await turns.take(0, async () => 1)).toBeUndefined()
    expect(done).toEqual(['running'])
  })
})
