import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { recordsInTopic } from '../../src/cli/target-topic.js'
import { startKafka } from '../services/kafka.js'
import { postgresAvailable, startPostgres } from '../services/postgres.js'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { Rig } from './rig.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const HOUR = 3_600_000

describe.skipIf(kafka === '' || postgresAvailable() !== undefined)('a worker lives through', () => {
  it('a warehouse that is down: rows come later, and none is lost', async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const rig = await Rig.create({ kafka, postgres: postgres.url })
    const data = { seed: 31, start: Date.now() - 6 * HOUR, spanMs: 6 * HOUR, total: 60_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 2_000, signal: production.signal })
    const worker = rig.worker()
    await until(
      'rows',
      30_000,
      async () => (await rig.database.events()) > 1_000,
      () => worker.output,
    )
    const before = await rig.database.events()
    await postgres.kill()
    const [, delay] = await worker.logged(/PostgreSQL at .* refused rows of .* tried again in (\d+) ms/)
    // Work goes on without a warehouse.
    const readAtFailure = (await rig.accounting()).read
    const readWhileDown = await until(
      'work without a warehouse',
      30_000,
      async () => {
        const { read } = await rig.accounting()
        return read > readAtFailure + 5_000 && read
      },
      () => worker.output,
    )
    production.abort()
    const { next: total } = await producing
    await postgres.restart()
    await rig.filled(total, 60_000, () => worker.output)
    expect(worker.running).toBe(true)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const comparison = compareCells(expectedCells(generated(data, 0, total)), await rig.database.cells())
    console.info('warehouse down:', { before, delay, readAtFailure, readWhileDown, total, ...comparison })
    expect(before).toBeLessThan(total)
    expect(comparison).toMatchObject(allEqual)
  }, 120_000)

  it('a broker that is killed and comes back: nothing is lost or counted twice', async () => {
    const [broker, postgres] = await Promise.all([startKafka(), startPostgres()])
    onTestFinished(async () => {
      await Promise.all([broker.stop(), postgres.stop()])
    })
    const rig = await Rig.create({ kafka: broker.brokers, postgres: postgres.url })
    const data = { seed: 32, start: Date.now() - 6 * HOUR, spanMs: 6 * HOUR, total: 60_000 }
    await rig.produce({ ...data, to: 1_000 })
    let outages = 0
    let stop = false
    const producing = (async () => {
      for (;;) {
        const from = await recordsInTopic(rig.log, rig.source)
        if (stop) return from
        await rig.produce({ ...data, from, to: Math.min(data.total, from + 2_000), rate: 2_000 }).catch(() => outages++)
      }
    })()
    const worker = rig.worker()
    await until(
      'rows',
      30_000,
      async () => (await rig.database.events()) > 1_000,
      () => worker.output,
    )
    await broker.kill()
    const killedAt = await rig.database.events()
    await new Promise(resolve => setTimeout(resolve, 2_000))
    await broker.restart()
    await until(
      'work after the restart',
      60_000,
      async () => (await rig.database.events()) > killedAt + 5_000,
      () => worker.output,
    )
    stop = true
    const total = await producing
    await rig.filled(total, 60_000, () => worker.output)
    expect(worker.running).toBe(true)
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells(generated(data, 0, total)), await rig.database.cells())
    console.info('broker killed:', { killedAt, outages, total, ...comparison, ...accounting })
    expect(killedAt).toBeLessThan(total)
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: total, aggregated: total, late: 0, lateAfterIdle: 0 })
  }, 180_000)
})
