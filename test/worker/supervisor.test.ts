import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Supervisor } from '../../src/worker/supervisor.js'
import { until } from '../e2e/until.js'
import type { Act, ChildOrder, ChildSnapshot } from './child.js'

const MODULE = new URL('./child.ts', import.meta.url)
const TSX = ['--import', import.meta.resolve('tsx')]
const WITHIN = 30_000

interface Setting {
  /** What each slot does, start by start. */
  readonly acts: readonly (readonly Act[])[]
  readonly drainTimeoutMs?: number
  readonly firstMs?: number
}

/** A supervisor with real processes, and the notes that they write. */
function supervised({ acts, drainTimeoutMs = 20_000, firstMs = 50 }: Setting) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-supervisor-'))
  const notes = join(folder, 'notes')
  const stop = new AbortController()
  const said: string[] = []
  const log = (message: string) => said.push(message)
  const supervisor = new Supervisor<ChildOrder, ChildSnapshot>({
    module: MODULE,
    nodeOptions: TSX,
    processes: acts.length,
    drainTimeoutMs,
    order: slot => ({ slot, notes, acts: acts[slot] ?? [], secret: 'hunter2' }),
    backoff: { firstMs, mostMs: 200 },
    logger: { info: log, warn: log },
  })
  const events = (slot: number, event: string): number[] => {
    const text = existsSync(notes) ? readFileSync(notes, 'utf8') : ''
    const lines = text.split('\n').map(line => /^(\d+) (\d+) (.*)$/.exec(line))
    return lines.flatMap(line => (line?.[1] === String(slot) && line[3] === event ? [Number(line[2])] : []))
  }
  const ran = supervisor.run(stop.signal)
  // Each test awaits it once more; until then a rejection has somebody who knows of it.
  ran.catch(() => undefined)
  onTestFinished(async () => {
    stop.abort()
    await ran.catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  })
  const seen = (slot: number, event: string, times = 1) =>
    until(`${times} × ${event} of ${slot}`, WITHIN, async () => {
      const found = events(slot, event)
      return found.length >= times && found
    })
  const reported = (slot: number) =>
    until(`slot ${slot} running`, WITHIN, async () => {
      const status = supervisor.processes()[slot]
      return status?.state === 'running' && status
    })
  return { supervisor, stop, ran, said, events, seen, reported }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('Supervisor', { timeout: 60_000 }, () => {
  it('runs its processes until it is told to stop, and lets them leave', async () => {
    const { supervisor, stop, ran, events, reported } = supervised({ acts: [['run'], ['run']] })
    await Promise.all([reported(0), reported(1)])
    expect(supervisor.processes()).toMatchObject([
      { process: 0, state: 'running', restarts: 0, failures: 0 },
      { process: 1, state: 'running', restarts: 0, failures: 0 },
    ])
    expect(await supervisor.snapshots()).toEqual(new Map([0, 1].map(slot => [slot, { slot }])))
    stop.abort()
    await ran
    expect([events(0, 'left'), events(1, 'left')]).toMatchObject([[expect.any(Number)], [expect.any(Number)]])
    expect(supervisor.processes()).toMatchObject([{ state: 'stopped' }, { state: 'stopped' }])
  })

  it('what a process has to do is on no command line', async () => {
    const { events, reported } = supervised({ acts: [['run']] })
    await reported(0)
    const [pid] = events(0, 'started')
    const line = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    expect(line).toContain('child.ts')
    expect(line).not.toContain('hunter2')
  })

  it('starts a process again that was killed, that crashed, or that failed, each time a little later', async () => {
    const { supervisor, stop, ran, said, events, seen, reported } = supervised({
      acts: [['run', 'crash', 'fail', 'run'], ['run']],
    })
    await Promise.all([reported(0), reported(1)])
    process.kill(events(0, 'started')[0] as number, 'SIGKILL')
    await seen(0, 'started', 4)
    await reported(0)
    expect(supervisor.processes()).toMatchObject([
      { state: 'running', restarts: 3, failures: 3, lastFailure: 'failed with LOG: 0 cannot go on.' },
      { state: 'running', restarts: 0, failures: 0 },
    ])
    expect(said).toEqual([
      'Process 0 was ended by SIGKILL. It is started again in 0.05 s.',
      'Process 0 was ended by SIGABRT. It is started again in 0.1 s.',
      'Process 0 failed with LOG: 0 cannot go on. It is started again in 0.2 s.',
    ])
    stop.abort()
    await ran
    expect(events(1, 'started')).toHaveLength(1)
  })

  it('a failure that no restart mends ends all: the others leave, and the sentence is the error', async () => {
    const { supervisor, ran, events } = supervised({ acts: [['run'], ['fail for good']] })
    await expect(ran).rejects.toMatchObject({ code: 'MISSING_TOPIC', message: '1 cannot go on.' })
    expect(events(1, 'started')).toHaveLength(1)
    expect(events(0, 'left')).toEqual(events(0, 'started'))
    expect(supervisor.processes()).toMatchObject([{ state: 'stopped' }, { state: 'stopped' }])
  })

  it('stops while a process waits to be started again', async () => {
    const { stop, ran, events, seen, supervisor } = supervised({ acts: [['crash']], firstMs: 60_000 })
    await seen(0, 'started')
    await until('the wait', WITHIN, async () => supervisor.processes()[0]?.state === 'restarting')
    stop.abort()
    await ran
    expect(events(0, 'started')).toHaveLength(1)
  })

  it.each(['stay', 'block'] as const)('kills a process that does not leave in time: %s', async act => {
    const { stop, ran, events, reported, seen } = supervised({ acts: [[act], ['run']], drainTimeoutMs: 1_500 })
    await Promise.all([act === 'block' ? seen(0, 'blocked') : reported(0), reported(1)])
    stop.abort()
    await expect(ran).rejects.toMatchObject({
      code: 'DRAIN_TIMEOUT',
      message: expect.stringMatching(/^Not everything was committed and closed within 1\.5 s: process 0 was ended/),
    })
    expect(events(1, 'left')).toHaveLength(1)
    const [pid] = events(0, 'started')
    await until('its end', WITHIN, async () => !alive(pid as number))
  })

  it('a process that does not answer is left out of the metrics, and counted', async () => {
    const { supervisor, seen, reported } = supervised({ acts: [['block'], ['run']], drainTimeoutMs: 500 })
    await Promise.all([seen(0, 'blocked'), reported(1)])
    expect(await supervisor.snapshots()).toEqual(new Map([[1, { slot: 1 }]]))
    expect(supervisor.processes()).toMatchObject([{ unanswered: 1 }, { unanswered: 0 }])
  })
})
