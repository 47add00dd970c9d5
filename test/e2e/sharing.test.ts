import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { Load } from './load.js'
import { sharing } from './members.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''

describe.skipIf(kafka === '' || postgres === '')('workers that share partitions', () => {
  it('give the right cells when one is killed and one is added', async () => {
    const { seed, random } = seededRandom('sharing')
    // What a killed member left open hides later records until it times out.
    const rig = await Rig.create({ kafka, postgres, flags: { 'kafka-config': 'transaction.timeout.ms=5000' } })
    const load = await Load.start(rig, { seed, rate: 1_000 })
    const one = rig.member('one')
    await one.logged(/^Running .*events/)
    const two = rig.member('two')
    const before = await sharing(rig, [one, two])
    await sleep(Math.floor(random() * 1_000))
    const { hit } = await one.end('SIGKILL')
    const killedAt = (await rig.accounting()).read
    const three = rig.member('three')
    const after = await sharing(rig, [two, three])
    const total = await load.stop()
    await rig.filled(total, 60_000, () => two.output + three.output)
    const ends = [await two.end('SIGTERM'), await three.end('SIGTERM')]

    const accounting = await rig.accounting()
    const comparison = compareCells(load.cells(total), await rig.database.cells())
    console.info('one killed, one added:', { before, killedAt, after, ends, ...comparison, ...accounting })
    expect(hit).toBe(true)
    expect(killedAt).toBeGreaterThan(0)
    expect(killedAt).toBeLessThan(total)
    expect(ends).toMatchObject([{ code: 0 }, { code: 0 }])
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 180_000)
})
