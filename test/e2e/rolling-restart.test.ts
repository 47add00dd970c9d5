import { describe, expect, inject, it } from 'vitest'
import { Load } from './load.js'
import { sharing } from './members.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import type { Worker } from './worker.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const NAMES = ['one', 'two', 'three']
/** Default of `--drain-timeout`, in ms. */
const DRAIN = 25_000

describe.skipIf(kafka === '' || postgres === '')('three workers under load', () => {
  it('are restarted one after the other, twice, and lose nothing', async () => {
    const { seed } = seededRandom('rolling restart')
    const rig = await Rig.create({ kafka, postgres })
    const load = await Load.start(rig, { seed, rate: 600 })
    const workers = NAMES.map(name => rig.member(name))
    const output = () => workers.map(worker => worker.output).join('\n')
    await sharing(rig, workers)
    const restarts: {
      readonly code: number | null
      readonly hit: boolean
      readonly tookMs: number
      readonly read: number
    }[] = []
    for (let round = 0; round < 2; round++) {
      for (const [slot, name] of NAMES.entries()) {
        const start = Date.now()
        const { code, hit } = await (workers[slot] as Worker).end('SIGTERM')
        restarts.push({ code, hit, tookMs: Date.now() - start, read: (await rig.accounting()).read })
        workers[slot] = rig.member(name)
        await sharing(rig, workers)
      }
    }
    const total = await load.stop()
    await rig.filled(total, 60_000, output)
    const ends = []
    for (const worker of workers) ends.push(await worker.end('SIGTERM'))

    const accounting = await rig.accounting()
    const comparison = compareCells(load.cells(total), await rig.database.cells())
    console.info('rolling restart:', { restarts, ends, ...comparison, ...accounting })
    expect(restarts).toHaveLength(2 * NAMES.length)
    expect(restarts.every(({ hit, code }) => hit && code === 0)).toBe(true)
    expect(Math.max(...restarts.map(({ tookMs }) => tookMs))).toBeLessThan(DRAIN)
    // Each restart fell into the work: more was read from one to the next.
    const reads = restarts.map(({ read }) => read)
    expect([...new Set(reads)].sort((a, b) => a - b)).toEqual(reads)
    expect(reads.at(-1)).toBeLessThan(total)
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 240_000)
})
