import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { Load } from './load.js'
import { sharing } from './members.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { TcpProxy } from './tcp-proxy.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''

const OUTAGE = 60_000
/** The outage is looked at in parts so long, in ms: work was committed in each. */
const PART = 10_000
/** A flush that was under way when the outage began may still show. */
const SETTLE = 1_000

/** A flush that failed, or one that does not come to its end. */
const COMPLAINT = /They are kept and tried again|has been at one piece of work/

describe.skipIf(kafka === '' || postgres === '')('60 seconds without the warehouse', () => {
  async function outage(seed: number, how: 'refuses' | 'hangs') {
    const rig = await Rig.create({ kafka, postgres })
    const proxy = await TcpProxy.create(rig.database.url)
    onTestFinished(() => proxy.close())
    const warehouse = proxy.through(rig.database.url)
    const load = await Load.start(rig, { seed, rate: 250 })
    const one = rig.member('one', { warehouse })
    await until(
      'rows',
      60_000,
      async () => (await rig.database.events()) > 1_000,
      () => one.output,
    )
    const started = Date.now()
    if (how === 'refuses') await proxy.refuse()
    else proxy.hang()
    await sleep(SETTLE)
    const atStart = await rig.database.events()
    // A worker that joins meanwhile takes over partitions whose sinks it cannot open.
    await sleep(PART)
    const two = rig.member('two', { warehouse })
    const shares = await sharing(rig, [one, two])
    const sharedAfterMs = Date.now() - started
    await sleep(Math.max(0, started + OUTAGE - Date.now()))
    const atEnd = await rig.database.events()
    await rig.history.update()
    const ended = Date.now()
    await proxy.restore()

    const commits = rig.history.commits.filter(({ time }) => time >= started && time < ended)
    const parts = Array.from(
      { length: OUTAGE / PART },
      (_, part) => commits.filter(({ time }) => Math.floor((time - started) / PART) === part).length,
    )
    const total = await load.stop()
    await rig.filled(total, 90_000, () => one.output + two.output)
    const complaints = [one, two].map(({ messages }) => messages.filter(message => COMPLAINT.test(message)).length)
    const running = [one.running, two.running]
    const ends = [await one.end('SIGTERM'), await two.end('SIGTERM')]
    const accounting = await rig.accounting()
    const comparison = compareCells(load.cells(total), await rig.database.cells())
    return {
      how,
      atStart,
      atEnd,
      total,
      shares,
      sharedAfterMs,
      parts,
      complaints,
      running,
      ends,
      comparison,
      accounting,
    }
  }

  it('work and commits go on whether it refuses or hangs, and the rows are right afterwards', async () => {
    const { seed } = seededRandom('warehouse outage')
    const outages = await Promise.all([outage(seed, 'refuses'), outage(seed + 1, 'hangs')])
    console.info('60 seconds without the warehouse:', JSON.stringify(outages, null, 1))
    for (const { atStart, atEnd, total, parts, complaints, running, ends, comparison, accounting } of outages) {
      expect(atStart).toBeGreaterThan(0)
      expect(atEnd).toBe(atStart)
      expect(atEnd).toBeLessThan(total)
      expect(complaints[0]).toBeGreaterThan(0)
      for (const commits of parts) expect(commits).toBeGreaterThan(0)
      expect(running).toEqual([true, true])
      expect(ends).toMatchObject([{ code: 0 }, { code: 0 }])
      expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
      expect(comparison).toMatchObject(allEqual)
      expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
    }
  }, 300_000)
})
