import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it, vi } from 'vitest'
import { systemClock } from '../../src/cli/system-clock.js'
import { LaneTable, type Marker } from '../../src/runtime/lane-table.js'
import { StreamProcess } from '../../src/runtime/stream-process.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { postgresWarehouse } from '../../src/warehouse/postgres/postgres-warehouse.js'
import { allEqual, compareCells, expectedCells, generated } from './quest-cells.js'
import { SCHEMAS } from './quest-topic.js'
import { Rig } from './rig.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const QUEST_MINUTE = fileURLToPath(new URL('../../topologies/quest-minute.ts', import.meta.url))
const DAY = 24 * 3_600_000
const data = { seed: 3, start: Math.floor((Date.now() - DAY) / 60_000) * 60_000, spanMs: DAY, total: 300_000 }

describe.skipIf(kafka === '' || postgres === '')('a catch-up of a day in 8 partitions', () => {
  it('drops nothing with 30 seconds of grace', async () => {
    const rig = await Rig.create({ kafka, postgres, file: QUEST_MINUTE, source: 'quest-events' })
    await rig.produce(data)
    const started = Date.now()
    const worker = rig.worker()
    await rig.filled(data.total, 120_000, () => worker.output)
    const seconds = (Date.now() - started) / 1_000
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
    const accounting = await rig.accounting()
    const comparison = compareCells(expectedCells(generated(data)), await rig.database.cells())
    console.info('catch-up of a day:', { seconds, ...comparison, ...accounting })
    expect(accounting).toMatchObject({ read: data.total, aggregated: data.total, late: 0, lateAfterIdle: 0 })
    expect(comparison).toMatchObject(allEqual)
  }, 180_000)

  it('loses most of it where one stream time, the highest of all partitions, judges what is late', async () => {
    // What Kafka Streams does behind a repartition: any record moves time for all.
    vi.spyOn(LaneTable.prototype, 'apply').mockImplementation(function (this: LaneTable, marker: Marker) {
      const highest = Math.max(this.streamTime, ...marker.entries.map(({ time }) => time))
      const moved = highest > this.streamTime
      this.streamTime = highest
      return moved
    })
    const rig = await Rig.create({ kafka, postgres, source: 'quest-events' })
    const warehouse = postgresWarehouse({ url: rig.database.url })
    const { default: topology } = await import('./topologies/quest-minute.js')
    const process = await StreamProcess.start({
      topology,
      namespace: rig.namespace,
      log: rig.log,
      serde: avroSerde(fileRegistry({ schemas: SCHEMAS })),
      stores: memoryEngine(),
      stateDirectory: rig.state,
      warehouse,
      clock: systemClock,
      instanceId: 'control',
      logger: { info: () => undefined, warn: () => undefined },
    })
    const stop = new AbortController()
    const running = process.run(stop.signal)
    const figures = async () => (await process.status()).lateAfterIdle + (await rig.database.events())
    while ((await figures()) < data.total) await sleep(200)
    const { accounting, lateAfterIdle } = await process.status()
    stop.abort()
    await running
    await warehouse.close()
    vi.restoreAllMocks()
    const comparison = compareCells(expectedCells(generated(data)), await rig.database.cells())
    console.info('one stream time for all partitions:', { lateAfterIdle, ...comparison, ...accounting })
    expect(accounting.read).toBe(data.total)
    expect(lateAfterIdle).toBeGreaterThan(data.total / 4)
    expect(comparison.wrong + comparison.missing).toBeGreaterThan(comparison.cells / 4)
  }, 120_000)
})
