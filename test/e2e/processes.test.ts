import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { Rig } from './rig.js'
import { until } from './until.js'
import type { Worker } from './worker.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const HOUR = 3_600_000

/** A worker's processes by their titles. */
function processesOf(pid: number): ReadonlyMap<string, number> {
  const list = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
  const lines = [...list.matchAll(/^ *(\d+) +(\d+) (.*)$/gm)]
  return new Map(lines.filter(line => Number(line[2]) === pid).map(line => [String(line[3]).trim(), Number(line[1])]))
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function addressOf(worker: Worker): Promise<string> {
  return String((await worker.logged(/at (http:\/\/\S+)\.$/))[1])
}

/** Waits until the worker is ready: all assigned tasks of all its processes run. */
async function ready(worker: Worker): Promise<string> {
  const address = await addressOf(worker)
  let last = ''
  await until(
    'readiness',
    90_000,
    async () => {
      const answer = await fetch(`${address}/readyz`)
      last = await answer.text()
      return answer.ok
    },
    () => `${last}\n${worker.output}`,
  )
  return address
}

async function metricsOf(address: string): Promise<string> {
  const answer = await fetch(`${address}/metrics`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/plain/)])
  return answer.text()
}

describe.skipIf(kafka === '' || postgres === '')('a worker of two processes', () => {
  it('starts a killed process again, serves both, and drains: every cell is right', async () => {
    const rig = await Rig.create({ kafka, postgres, flags: { processes: '2' } })
    const data = { seed: 21, start: Date.now() - 8 * HOUR, spanMs: 8 * HOUR, total: 100_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 1_200, signal: production.signal })
    const worker = rig.worker()
    const address = await ready(worker)
    expect([...processesOf(worker.pid).keys()].sort()).toEqual(['millrace process 0', 'millrace process 1'])
    const [title] = execFileSync('ps', ['-o', 'args=', '-p', String(worker.pid)], { encoding: 'utf8' }).split('\n')
    expect(title?.trim()).toBe('millrace worker')

    const before = await rig.readBeyond(5_000, worker)
    const killed = processesOf(worker.pid).get('millrace process 0') as number
    process.kill(killed, 'SIGKILL')
    await worker.logged(/^Process 0 was ended by SIGKILL\. It is started again in 1 s\.$/)
    expect((await fetch(`${address}/healthz`)).status).toBe(200)
    await ready(worker)
    const again = processesOf(worker.pid).get('millrace process 0')
    await rig.readBeyond((await rig.accounting()).read + 3_000, worker)
    const metrics = await metricsOf(address)
    for (const process of ['0', '1', 'worker']) {
      expect(metrics).toMatch(new RegExp(`^process_resident_memory_bytes\\{process="${process}"\\} [1-9]`, 'm'))
    }
    expect(metrics).toContain('\nmillrace_process_restarts_total{process="0"} 1\n')
    expect(metrics).toContain('\nmillrace_process_restarts_total{process="1"} 0\n')
    const parentMb = Number(/^process_resident_memory_bytes\{process="worker"\} (\d+)$/m.exec(metrics)?.[1]) / 2 ** 20

    production.abort()
    const { next: total } = await producing
    await rig.filled(total, 60_000, () => worker.output)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    expect(worker.messages.at(-1)).toBe('Closed.')
    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells(generated(data, 0, total)), await rig.database.cells())
    console.info('a process killed:', { before, parentMb, ...comparison, ...accounting })
    expect(again).not.toBe(killed)
    expect(again).toBeGreaterThan(0)
    expect(before).toBeLessThan(total)
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 240_000)

  it('processes whose worker was killed commit and leave, so that a successor goes on at once', async () => {
    const rig = await Rig.create({ kafka, postgres, flags: { processes: '2' } })
    const data = { seed: 22, start: Date.now() - 12 * HOUR, spanMs: 12 * HOUR, total: 60_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 1_200, signal: production.signal })
    const first = rig.worker()
    await ready(first)
    await rig.readBeyond(4_000, first)
    const children = [...processesOf(first.pid).values()]
    process.kill(first.pid, 'SIGKILL')
    const killedAt = Date.now()
    await until(
      'the end of its processes',
      40_000,
      async () => !children.some(alive),
      () => first.output,
    )
    const endedAfter = Date.now() - killedAt
    const left = first.messages.filter(message => message === 'The worker is gone: committing and closing.')

    const second = rig.worker()
    await ready(second)
    const readyAfter = Date.now() - killedAt
    await sleep(1_000)
    production.abort()
    const { next: total } = await producing
    await rig.filled(total, 60_000, () => second.output)
    // As a terminal does: the worker and its processes get it.
    process.kill(-second.pid, 'SIGINT')
    expect(await second.exited).toMatchObject({ code: 0 })
    expect(second.messages.at(-1)).toBe('Closed.')
    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells(generated(data, 0, total)), await rig.database.cells())
    console.info('the parent killed:', { endedAfter, readyAfter, ...comparison, ...accounting })
    expect(children).toHaveLength(2)
    expect(left).toHaveLength(2)
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 180_000)
})
