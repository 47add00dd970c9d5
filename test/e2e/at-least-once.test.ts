import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const HOUR = 3_600_000

describe.skipIf(kafka === '' || postgres === '')('at least once', () => {
  const flags = { guarantee: 'at_least_once' }

  it('loses nothing and counts nothing twice when it is stopped and started', async () => {
    const rig = await Rig.create({ kafka, postgres, flags })
    const data = { seed: 21, start: Date.now() - 6 * HOUR, spanMs: 6 * HOUR, total: 60_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 2_000, signal: production.signal })
    const stops: { readonly code: number | null; readonly read: number }[] = []
    for (let stop = 0; stop < 3; stop++) {
      const worker = rig.worker()
      await worker.logged(/^Running .*events/)
      await rig.readBeyond(stops.at(-1)?.read ?? 0, worker)
      const { code } = await worker.end('SIGTERM')
      stops.push({ code, read: (await rig.accounting()).read })
    }
    const last = rig.worker()
    await last.logged(/^Running .*events/)
    production.abort()
    const { next: total } = await producing
    await rig.filled(total, 60_000, () => last.output)
    expect(await last.end('SIGTERM')).toMatchObject({ code: 0 })
    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells(generated(data, 0, total)), await rig.database.cells())
    console.info('at least once, stopped:', { stops, ...comparison, ...accounting })
    expect(stops.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(stops[0]?.read).toBeGreaterThan(0)
    expect(stops[2]?.read).toBeLessThan(total)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0 })
  }, 120_000)

  it('loses nothing when it is killed', async () => {
    const { random, seed } = seededRandom('at least once')
    const rig = await Rig.create({ kafka, postgres, flags })
    const data = { seed, start: Date.now() - 6 * HOUR, spanMs: 6 * HOUR, total: 60_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 2_000, signal: production.signal })
    const kills: { readonly hit: boolean; readonly read: number }[] = []
    for (let kill = 0; kill < 2; kill++) {
      const worker = rig.worker()
      await worker.logged(/^Running .*events/)
      await rig.readBeyond(kills.at(-1)?.read ?? 0, worker)
      await sleep(Math.floor(random() * 1_500))
      const { hit } = await worker.end('SIGKILL')
      kills.push({ hit, read: (await rig.accounting()).read })
    }
    const last = rig.worker()
    await last.logged(/^Running .*events/)
    production.abort()
    const { next: total } = await producing
    const expected = expectedCells(generated(data, 0, total))
    await rig.filled(total, 60_000, () => last.output)
    // Replayed records may still be on their way: the counts are read when the worker has committed and flushed.
    expect(await last.end('SIGTERM')).toMatchObject({ code: 0 })
    const cells = await rig.database.cells()
    const counts = [...expected].map(([id, { events }]) => (cells.get(id)?.events ?? 0) - events)
    const twice = counts.reduce((sum, count) => sum + Math.max(0, count), 0)
    const short = counts.filter(count => count < 0).length
    console.info('at least once, killed:', { kills, total, twice, short, cells: expected.size })
    expect(last.messages.join()).toContain('at least once')
    expect(kills.every(({ hit }) => hit)).toBe(true)
    expect(kills[1]?.read).toBeGreaterThan(0)
    expect(kills[1]?.read).toBeLessThan(total)
    expect(short).toBe(0)
    // A kill repeats what its last commit sent at most, which is the whole backlog when it strikes while one is read.
    expect(twice).toBeLessThan(total)
  }, 120_000)
})
