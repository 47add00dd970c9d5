import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { recordsInTopic } from '../../src/cli/target-topic.js'
import { TcpProxy } from '../services/tcp-proxy.js'
import { Load } from './load.js'
import { allEqual, compareCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { until } from './until.js'
import type { Worker } from './worker.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''

const MANY_TABLES = fileURLToPath(new URL('./topologies/many-tables.ts', import.meta.url))
const TABLES = 64
const HOLDS = /^Holds permit 0 of 1 /

/** Ms from an event in the source topic to its row, as the topology of `many-tables.ts` promises it. */
const FRESHNESS = 40_000

describe.skipIf(kafka === '' || postgres === '')('64 tables and 8 processes with one session in the warehouse', () => {
  it('never have more than one, also when its holder leaves or dies, and every table is as fresh as it promises', async () => {
    const { seed } = seededRandom('warehouse sessions')
    const flags = { processes: '4', 'warehouse-sessions': '1', 'drain-timeout': '60s' }
    const rig = await Rig.create({ kafka, postgres, file: MANY_TABLES, flags, env: { TABLES: String(TABLES) } })
    const server = new URL(rig.database.url)
    const proxy = await TcpProxy.to(Number(server.port))
    onTestFinished(() => proxy.close())
    server.port = String(proxy.port)
    const warehouse = server.href
    const load = await Load.start(rig, { seed, rate: 50, partitions: 2, first: 4_000 })
    const workers: Worker[] = []
    const start = (name: string): Worker => {
      const worker = rig.member(name, { warehouse })
      workers.push(worker)
      return worker
    }
    const output = () => workers.map(worker => worker.output.slice(-4_000)).join('\n')
    /** The worker that said last that it holds the permit. */
    const holder = (after: number) => {
      const said = workers.flatMap(worker =>
        worker.lines
          .filter(({ message, time }) => HOLDS.test(message) && time >= after)
          .map(({ time }) => ({ worker, time })),
      )
      return said.sort((a, b) => b.time - a.time)[0]?.worker
    }
    /** Events in the table that has the fewest. */
    const fewest = async (): Promise<number> => {
      if ((await rig.database.events()) === 0) return 0
      const sums = Array.from(
        { length: TABLES - 1 },
        (_, i) => `SELECT coalesce(sum(events), 0) AS events FROM quest_minute_${i + 1}`,
      )
      const [row] = await rig.database.query(
        `SELECT min(events)::text AS events FROM (${sums.join(' UNION ALL ')}) AS sums`,
      )
      return Math.min(await rig.database.events(), Number(row?.events))
    }
    const filled = (events: number) =>
      until(
        `${events} events in all tables`,
        120_000,
        async () => (await fewest().catch(() => 0)) >= events,
        async () => output(),
      )
    start('one')
    start('two')
    await filled(1)

    const leftAt = Date.now()
    const leaving = await until('a holder', 5_000, async () => holder(0), output)
    const left = await leaving.end('SIGTERM')
    start('three')
    const dying = await until('another holder', 60_000, async () => holder(leftAt), output)
    const diedAt = Date.now()
    await until('its session', 60_000, async () => proxy.peak === 1, output)
    const died = await dying.end('SIGKILL')
    const last = await until('a third holder', 60_000, async () => holder(diedAt), output)

    // What is in the topic is in all tables when the freshness has passed, while more comes.
    const produced = await recordsInTopic(rig.log, rig.source)
    await sleep(FRESHNESS)
    const visible = await fewest()
    const total = await load.stop()
    await filled(total)
    const cells = compareCells(load.cells(total), await rig.database.cells())
    const [differing] = await rig.database.query(
      `SELECT count(*)::text AS rows FROM (${Array.from(
        { length: TABLES - 1 },
        (_, i) => `(SELECT * FROM quest_minute_${i + 1} EXCEPT SELECT * FROM quest_minute)`,
      ).join(' UNION ALL ')}) AS differing`,
    )
    console.info('one session:', { peak: proxy.peak, left, died, total, cells, produced, visible })
    expect(left).toMatchObject({ code: 0, hit: true })
    expect(died).toMatchObject({ signal: 'SIGKILL', hit: true })
    expect(last).not.toBe(dying)
    expect(proxy.peak).toBe(1)
    expect(visible).toBeGreaterThanOrEqual(produced)
    expect(total).toBeGreaterThan(produced)
    expect(cells).toMatchObject(allEqual)
    expect(differing?.rows).toBe('0')
  }, 300_000)
})
