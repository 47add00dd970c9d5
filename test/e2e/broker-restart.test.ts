import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { startKafka } from '../services/kafka.js'
import { Load } from './load.js'
import { sharing } from './members.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const OUTAGE = 10_000
const PARTITIONS = [0, 1, 2, 3, 4, 5, 6, 7]

describe.skipIf(kafka === '' || postgres === '')('a broker that is killed and comes back after 10 seconds', () => {
  it('ends no worker, and nothing is lost or counted twice', async () => {
    const { seed, random } = seededRandom('broker restart')
    const broker = await startKafka()
    onTestFinished(() => broker.stop())
    const rig = await Rig.create({ kafka: broker.brokers, postgres })
    const load = await Load.start(rig, { seed, rate: 800 })
    const workers = [rig.member('one'), rig.member('two')] as const
    const output = () => workers.map(worker => worker.output).join('\n')
    const shares = await sharing(rig, workers)
    await sleep(Math.floor(random() * 500))
    await broker.kill()
    await sleep(OUTAGE)
    const running = workers.map(worker => worker.running)
    const readBefore = [...rig.history.tasks.values()].reduce((sum, task) => sum + task.accounting.read, 0)
    await broker.restart()
    const start = await rig.readOf(PARTITIONS)
    const restartedAt = Date.now()
    await until(
      'each partition read on after the restart',
      120_000,
      async () => (await rig.readOf(PARTITIONS)).every((next, partition) => next > (start[partition] as number)),
      output,
    )
    const backAfterMs = Date.now() - restartedAt
    const total = await load.stop()
    await rig.filled(total, 90_000, output)
    const warnings = workers.map(
      ({ messages }) => messages.filter(message => message.startsWith('A transaction failed')).length,
    )
    const ends = [await workers[0].end('SIGTERM'), await workers[1].end('SIGTERM')]

    const accounting = await rig.accounting()
    const comparison = compareCells(load.cells(total), await rig.database.cells())
    const { interruptions } = load
    const times = { shares, readBefore, backAfterMs, interruptions, warnings }
    console.info('broker restart:', { ...times, ends, ...comparison, ...accounting })
    expect(running).toEqual([true, true])
    expect(interruptions).toBeGreaterThan(0)
    expect(readBefore).toBeGreaterThan(0)
    expect(readBefore).toBeLessThan(total)
    expect(ends).toMatchObject([{ code: 0 }, { code: 0 }])
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 300_000)
})
