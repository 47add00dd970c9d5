import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { soundTopologies } from '../../src/cli/sound-topologies.js'
import { tableSpec } from '../../src/runtime/rows-program.js'
import { pgliteWarehouse } from '../../src/warehouse/pglite/pglite-warehouse.js'
import type { ProcessStatus } from '../../src/worker/process-status.js'
import { until } from '../e2e/until.js'
import { Command, millrace } from './command.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const QUEST_MINUTE = at('../../topologies/quest-minute.ts')
const SCHEMAS = at('../../schemas')
const EVENTS = 5_000

let state: string
let running: Command[]

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'millrace-run-'))
  running = []
})

afterEach(async () => {
  for (const command of running) {
    command.kill('SIGKILL')
    await command.ended
  }
  rmSync(state, { recursive: true, force: true })
})

function flags(): string[] {
  return ['--state', state, '--schemas', SCHEMAS]
}

/** Flags of a worker that shares the machine with others. */
function runFlags(): string[] {
  return [...flags(), '--http', '127.0.0.1:0']
}

function run(...args: string[]): Command {
  const command = new Command(['run', ...runFlags(), '--status-interval', '200ms', ...args])
  running.push(command)
  return command
}

async function produce(): Promise<void> {
  expect(await millrace(['produce', '--events', String(EVENTS), ...flags()])).toMatchObject({ code: 0 })
}

async function eventsInTable(): Promise<number> {
  const warehouse = pgliteWarehouse({ directory: join(state, 'warehouse') })
  try {
    const [topology] = await soundTopologies([QUEST_MINUTE])
    const sink = topology?.outputs.find(node => node.kind === 'to-warehouse')
    if (!sink) throw new Error('quest-minute has no table')
    const table = tableSpec(sink)
    const events = table.columns.findIndex(({ name }) => name === 'events')
    let sum = 0
    for await (const row of warehouse.rows(table)) sum += Number(row[events])
    return sum
  } finally {
    await warehouse.close()
  }
}

describe('millrace run', () => {
  it('SIGTERM: commits, flushes rows that are not due, closes with code 0', { timeout: 240_000 }, async () => {
    await produce()
    const sums: number[] = []
    // What stands in internal topics when the signal comes is the next run's: nothing is lost or counted twice.
    for (let runs = 0; runs < 6 && sums.at(-1) !== EVENTS; runs++) {
      const command = run(QUEST_MINUTE)
      await command.said(new RegExp(`"read":${EVENTS},.*"lag":0`))
      await new Promise(resolve => setTimeout(resolve, runs * 1_000))
      command.kill('SIGTERM')
      const { code, stdout, stderr } = await command.ended
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
      expect(stderr.trim().split('\n').at(-1)).toMatch(/"msg":"Closed\."/)
      sums.push(await eventsInTable())
    }
    expect(sums.at(-1)).toBe(EVENTS)
  })

  it('a second program on the same folder is refused by name', { timeout: 60_000 }, async () => {
    await produce()
    const command = run(QUEST_MINUTE)
    await command.said(/Topology \\"quest-minute\\" runs/)
    const { code, stderr } = await millrace(['run', QUEST_MINUTE, ...runFlags()])
    expect(code).toBe(1)
    expect(stderr).toContain(`LOG_IN_USE: Another program has the embedded log in ${join(state, 'log')} open.`)
    const producing = await millrace(['produce', ...flags()])
    expect(producing).toMatchObject({ code: 1, stdout: '' })
    expect(producing.stderr).toContain('LOG_IN_USE')
  })

  it('a second signal ends it at once; --http off serves nothing', { timeout: 60_000 }, async () => {
    await produce()
    const command = run(QUEST_MINUTE, '--http', 'off')
    await command.said(/Topology \\"quest-minute\\" runs/)
    command.kill('SIGTERM')
    command.kill('SIGINT')
    const { code, stderr } = await command.ended
    expect(code).toBe(130)
    expect(stderr).not.toContain('Health and metrics')
  })

  it('an error that nobody caught is fatal', { timeout: 60_000 }, async () => {
    await produce()
    const { code, stderr } = await run(at('topologies/unhandled.ts')).ended
    expect(code).toBe(1)
    expect(stderr.trim().split('\n').at(-1)).toMatch(/"level":"fatal".*nobody caught this/)
  })

  it('names all problems of all files before it touches anything', async () => {
    const files = ['missing-window', 'unknown-column', 'duplicate-name'].map(name => at(`broken/${name}.ts`))
    const { code, stderr } = await millrace(['run', ...files, 'nowhere.ts', '--state', join(state, 'untouched')])
    expect(code).toBe(1)
    for (const file of files) expect(stderr).toContain(file.slice(file.lastIndexOf('/')))
    expect(stderr).toContain('nowhere.ts does not exist')
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('answers probes and scrapes for all its topologies', { timeout: 240_000 }, async () => {
    await produce()
    const command = run(QUEST_MINUTE, at('../../topologies/region-hour.ts'))
    const [, address] = await command.said(/Health and metrics are at (http:\/\/127\.0\.0\.1:\d+)\./)
    await until('readiness', 150_000, async () => (await fetch(`${address}/readyz`)).ok)
    const healthz = await fetch(`${address}/healthz`)
    expect([healthz.status, healthz.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(await healthz.json()).toMatchObject({
      ok: true,
      problems: [],
      processes: [
        {
          process: 0,
          state: 'running',
          restarts: 0,
          heartbeat: {
            topologies: [
              { topology: 'quest-minute', health: { joined: true, running: 16, sinksOpen: 8 } },
              { topology: 'region-hour', health: { joined: true, running: 16, sinksOpen: 8 } },
            ],
          },
        },
      ],
    })
    const metrics = await (await fetch(`${address}/metrics`)).text()
    expect(metrics).toContain('\nmillrace_process_state{process="0",state="running"} 1\n')
    expect(metrics).toContain('\nmillrace_process_restarts_total{process="0"} 0\n')
    expect(await (await fetch(`${address}/`)).text()).toContain('/readyz')
    command.kill('SIGTERM')
    expect(await command.ended).toMatchObject({ code: 0 })
  })

  it('a port that another program has is named', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await millrace(['run', QUEST_MINUTE, ...flags(), '--http', `127.0.0.1:${port}`])
    other.close()
    expect(code).toBe(1)
    expect(stderr).toContain(`HTTP: The address of --http 127.0.0.1:${port} cannot be used: another program listens`)
  })

  it('several processes need Kafka', async () => {
    expect(await millrace(['run', QUEST_MINUTE, ...runFlags(), '--processes', '2'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'INVALID_OPTION: --processes 2 needs --kafka: the embedded log belongs to one process. Leave --processes out.\n',
    })
  })

  it('on Kafka a table needs a warehouse', async () => {
    const { code, stderr } = await millrace(['run', QUEST_MINUTE, '--kafka', '127.0.0.1:1', ...runFlags()])
    expect(code).toBe(1)
    expect(stderr).toContain('INVALID_OPTION: \\"quest-minute\\" writes to a warehouse, and none is given.')
  })

  it('on Kafka a worker goes on trying while no broker answers, says so, and leaves when told', async () => {
    const warehouse = ['--warehouse', `pglite:${join(state, 'tables')}`]
    const command = run(QUEST_MINUTE, '--kafka', '127.0.0.1:1', ...warehouse)
    const [, address] = await command.said(/Health and metrics are at (http:\/\/127\.0\.0\.1:\d+)\./)
    await command.said(/Process 0 failed with LOG: Connecting to Kafka at 127\.0\.0\.1:1 failed: .* again in 1 s\./)
    expect((await fetch(`${address}/healthz`)).status).toBe(200)
    const readyz = await fetch(`${address}/readyz`)
    expect([readyz.status, await readyz.json()]).toMatchObject([
      503,
      { ok: false, problems: [expect.stringMatching(/^Process 0 is (re)?starting\.$/)] },
    ])
    command.kill('SIGTERM')
    expect(await command.ended).toMatchObject({ code: 0 })
  }, 120_000)

  it('a second signal ends the processes of a worker, too', async () => {
    const warehouse = ['--warehouse', `pglite:${join(state, 'tables')}`]
    const command = run(QUEST_MINUTE, '--kafka', '127.0.0.1:1', ...warehouse)
    const [, address] = await command.said(/Health and metrics are at (http:\/\/127\.0\.0\.1:\d+)\./)
    const pid = await until('a process that reports', 60_000, async () => {
      const { processes } = (await (await fetch(`${address}/readyz`)).json()) as { readonly processes: ProcessStatus[] }
      return processes[0]?.heardAt !== undefined && processes[0].pid
    })
    expect(() => process.kill(pid, 0)).not.toThrow()
    command.kill('SIGINT')
    command.kill('SIGTERM')
    expect(await command.ended).toMatchObject({ code: 130 })
    await until('the end of the process', 20_000, async () => {
      try {
        return !process.kill(pid, 0)
      } catch {
        return true
      }
    })
  }, 120_000)

  it('a source topic that is not there is named', async () => {
    const { code, stderr } = await millrace(['run', QUEST_MINUTE, ...runFlags()])
    expect(code).toBe(1)
    expect(stderr).toMatch(/MISSING_TOPIC: .*quest-events.*millrace load TOPIC FILE/)
  })

  it('never prints a password', async () => {
    const secret = 'hunter2'
    const env = {
      MILLRACE_WAREHOUSE: `mysql://user:${secret}@host/db`,
      MILLRACE_KAFKA_CONFIG: `sasl.password=${secret}`,
    }
    const { code, stderr } = await millrace(['run', QUEST_MINUTE, ...runFlags()], { env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/redshift:\/\/.*postgres:\/\/.* pglite:FOLDER/)
    expect(stderr).not.toContain(secret)
  })
})
