import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { ClosedWatch } from './closed-watch.js'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const HOUR = 3_600_000

describe.skipIf(kafka === '' || postgres === '')('a split table', () => {
  it('is right, and its closed rows never change, however often the worker is killed', async () => {
    const { random, seed } = seededRandom('split')
    const rig = await Rig.create({ kafka, postgres, env: { SPLIT: 'true', IDLE_AFTER: '5 seconds' } })
    const data = { seed, start: Date.now() - 12 * HOUR, spanMs: 12 * HOUR, total: 120_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 2_000, partitions: 4 })
    const producing = rig.produce({ ...data, from: 2_000, rate: 1_000, signal: production.signal })
    const watch = new ClosedWatch(rig.database)
    const kills: { readonly hit: boolean; readonly read: number; readonly closed: number }[] = []
    for (let kill = 0; kill < 4; kill++) {
      const worker = rig.worker()
      await worker.logged(/^Running .*events/)
      const { closed = 0, read: before = 0 } = kills.at(-1) ?? {}
      await rig.readBeyond(before, worker)
      await until(
        'more closed rows',
        60_000,
        async () => watch.rows.size > closed,
        () => worker.output,
      )
      await sleep(Math.floor(random() * 1_500))
      const { hit } = await worker.end('SIGKILL')
      kills.push({ hit, read: (await rig.accounting()).read, closed: watch.rows.size })
    }
    const last = rig.worker()
    await last.logged(/^Running .*events/)
    production.abort()
    const { next: total } = await producing
    const expected = expectedCells(generated(data, 0, total))
    // The topic is silent now: the wall clock closes the last windows.
    await until(
      'all windows closed',
      60_000,
      async () => watch.rows.size >= expected.size,
      () => last.output,
    )
    expect(await last.end('SIGTERM')).toMatchObject({ code: 0 })
    await watch.stop()

    const comparison = compareCells(expected, await rig.database.cells())
    const { looks, mixed, faults } = watch
    console.info('split table:', { kills, looks, mixed, closed: watch.rows.size, ...comparison })
    expect(kills.every(({ hit }) => hit)).toBe(true)
    expect(kills.at(-1)?.read).toBeLessThan(total)
    expect(kills.at(-1)?.closed).toBeGreaterThan(100)
    expect(mixed).toBeGreaterThan(10)
    expect(faults).toEqual([])
    expect(comparison).toMatchObject(allEqual)
    expect(await rig.database.query('SELECT * FROM quest_minute_open')).toEqual([])

    const hours = expectedCells(generated(data, 0, total), HOUR)
    const found = await rig.database.query(
      `SELECT quest_type || ' ' || (extract(epoch FROM window_start) * 1000)::bigint AS id, events::text, completions::text,
         gold::text, slowest_ms::text FROM quest_hour`,
    )
    const wanted = [...hours].map(([id, { events, completions, gold, slowestMs }]) => ({
      id,
      events: String(events),
      completions: String(completions),
      gold: String(gold),
      slowest_ms: String(slowestMs),
    }))
    expect(new Set(found)).toEqual(new Set(wanted))
  }, 180_000)
})
