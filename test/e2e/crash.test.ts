import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const HOUR = 3_600_000

describe.skipIf(kafka === '' || postgres === '')('millrace run', () => {
  it('killed again and again under load gives exactly the right cells', async () => {
    const { random, seed } = seededRandom('crash')
    const rig = await Rig.create({ kafka, postgres })
    const data = { seed, start: Date.now() - 12 * HOUR, spanMs: 12 * HOUR, total: 120_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 1_200, signal: production.signal })

    const kills: { readonly hit: boolean; readonly early: boolean; readonly afterMs: number; readonly read: number }[] =
      []
    for (let kill = 0; kill < 5; kill++) {
      const worker = rig.worker()
      await worker.logged(/^Running .*events/)
      // Every other one comes early, while the worker begins to catch up with what it missed.
      const early = kill % 2 === 1
      if (!early) await rig.readBeyond(kills.at(-1)?.read ?? 0, worker)
      const afterMs = Math.floor(random() * (early ? 500 : 1_500))
      await sleep(afterMs)
      const { hit } = await worker.end('SIGKILL')
      kills.push({ hit, early, afterMs, read: (await rig.accounting()).read })
    }
    const last = rig.worker()
    await last.logged(/^Running .*events/)
    production.abort()
    const { next: total } = await producing
    await rig.filled(total, 60_000, () => last.output)
    expect(await last.end('SIGTERM')).toMatchObject({ code: 0 })

    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells(generated(data, 0, total)), await rig.database.cells())
    console.info('killed again and again:', { kills, ...comparison, ...accounting })
    // The faults happened: each kill hit a running process, work was done between them, and some was left after the last.
    expect(kills.every(({ hit }) => hit)).toBe(true)
    expect(new Set(kills.map(({ read }) => read)).size).toBeGreaterThanOrEqual(3)
    expect(kills.at(-1)?.read).toBeGreaterThan(0)
    expect(kills.at(-1)?.read).toBeLessThan(total)
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 180_000)

  it('restores its state from the changelog when the state folder is gone', async () => {
    const rig = await Rig.create({ kafka, postgres, env: { GRACE: '12 hours' } })
    const start = Date.now() - 2 * HOUR
    const [before, after] = [7, 8].map(seed => ({ seed, start, spanMs: 2 * HOUR, total: 15_000 })) as [Data, Data]
    await rig.produce(before)
    const first = rig.worker()
    await rig.filled(before.total, 60_000, () => first.output)
    expect(await first.end('SIGKILL')).toMatchObject({ hit: true })
    const stores = (await readdir(rig.state, { recursive: true })).filter(
      name => name.endsWith('.sst') || /CURRENT$/.test(name),
    )
    await rm(rig.state, { recursive: true })
    expect(existsSync(rig.state)).toBe(false)

    // The same windows once more: each cell is right only if what it held before the folder was deleted is still known.
    await rig.produce(after)
    const second = rig.worker()
    await rig.filled(before.total + after.total, 60_000, () => second.output)
    expect(await second.end('SIGTERM')).toMatchObject({ code: 0 })
    // Tasks are restored one after the other, and a line names those that run.
    const restored = [...second.messages.join('\n').matchAll(/restored (\d+) changelog records/g)]
      .map(([, records]) => Number(records))
      .reduce((sum, records) => sum + records, 0)
    const expected = expectedCells([...generated(before), ...generated(after)])
    const comparison = compareCells(expected, await rig.database.cells())
    console.info('state folder deleted:', { stores: stores.length, restored, ...comparison })
    expect(stores.length).toBeGreaterThan(0)
    expect(restored).toBeGreaterThanOrEqual(1_000)
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
  }, 120_000)
})

type Data = Parameters<typeof generated>[0]
