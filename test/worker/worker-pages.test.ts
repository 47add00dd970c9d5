import { describe, expect, it } from 'vitest'
import type { ProcessStatus, WorkerView } from '../../src/worker/process-status.js'
import { workerPages } from '../../src/worker/worker-pages.js'

const FIGURES = { status: 200, contentType: 'text/plain', text: 'up 1\n' }

function pageOf(path: string, ...processes: ProcessStatus[]) {
  const view: WorkerView<unknown> = { processes: () => processes, snapshots: async () => new Map() }
  return workerPages(view, async () => FIGURES)[path]?.()
}

const status = (state: ProcessStatus['state'], fields: Partial<ProcessStatus> = {}): ProcessStatus => ({
  process: 1,
  state,
  since: Date.now(),
  restarts: 0,
  failures: 0,
  unanswered: 0,
  ...fields,
})

const running = status('running', {
  process: 0,
  heardAt: Date.now(),
  heartbeat: {
    topologies: [
      {
        topology: 'quest-minute',
        health: { turnedAt: Date.now(), joined: true, running: 8, restoring: 0, sinksOpen: 8, sinksWaiting: 0 },
      },
    ],
  },
})

async function probe(path: string, ...processes: ProcessStatus[]) {
  const page = await pageOf(path, ...processes)
  expect(page?.contentType).toBe('application/json; charset=utf-8')
  return { status: page?.status, ...JSON.parse(page?.text ?? '') }
}

describe('workerPages', () => {
  it('probes are 200 with what the processes said', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect(await probe(path, running)).toEqual({ status: 200, ok: true, problems: [], processes: [running] })
    }
  })

  it('a process that starts is alive and not ready', async () => {
    const starting = status('starting')
    expect(await probe('/healthz', running, starting)).toMatchObject({ status: 200, ok: true })
    expect(await probe('/readyz', running, starting)).toMatchObject({
      status: 503,
      ok: false,
      problems: ['Process 1 is starting.'],
      processes: [{ process: 0 }, { process: 1 }],
    })
  })

  it('a process that no restart helps is not alive', async () => {
    const failing = status('restarting', { failures: 5, lastFailure: 'was ended by SIGSEGV.' })
    expect(await probe('/healthz', failing)).toMatchObject({
      status: 503,
      problems: ['Process 1 failed 5 times in a row. The last time it was ended by SIGSEGV.'],
    })
  })

  it('serves the metrics it is given, and lists all pages', async () => {
    expect(await pageOf('/metrics')).toEqual(FIGURES)
    const index = await pageOf('/')
    expect(index?.text).toMatch(/\/healthz .*\n\/readyz .*\n\/metrics /)
  })
})
