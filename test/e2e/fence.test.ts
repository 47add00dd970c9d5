import { describe, expect, inject, it } from 'vitest'
import type { TableSpec } from '../../src/ports/warehouse.js'
import { tableSpec } from '../../src/runtime/rows-program.js'
import { assertValid } from '../../src/topology/validate.js'
import { postgresWarehouse } from '../../src/warehouse/postgres/postgres-warehouse.js'
import { allEqual, compareCells, expectedCells, generated, type QuestCells } from './quest-cells.js'
import { Rig } from './rig.js'
import { until } from './until.js'
import type { Worker } from './worker.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const HOUR = 3_600_000

describe.skipIf(kafka === '' || postgres === '')('a second sink with the same identity', () => {
  /**
   * A worker has read the rows of 3,000 events and not flushed them yet. Meanwhile another writer takes the sink over and
   * writes the rows that 3,000 more events in the same windows give. `between` runs before the worker gets to its flush.
   */
  async function overtaken(between: (rig: Rig, offsets: Offsets) => Promise<void>) {
    const rig = await Rig.create({ kafka, postgres, env: { FRESHNESS: '10 seconds', GRACE: '12 hours' } })
    const start = Date.now() - HOUR
    const [older, newer] = [5, 6].map(seed => ({ seed, start, spanMs: HOUR, total: 3_000 })) as [Data, Data]
    await rig.produce({ ...older, partitions: 1 })
    const worker = rig.worker()
    const rows = `${rig.group}-quest_minute-rows`
    await until(
      'rows in the log',
      30_000,
      async () => {
        if ((await rig.accounting()).read < older.total) return false
        return (await rig.log.watermarks({ topic: rows, partition: 0 })).high > 0
      },
      () => worker.output,
    )
    await until('the worker at its sink', 10_000, async () => (await offsetsOf(rig)) !== undefined)
    const offsets = (await offsetsOf(rig)) as Offsets
    expect(await rig.database.events()).toBe(0)

    const expected = expectedCells([...generated(older), ...generated(newer)])
    const warehouse = postgresWarehouse({ url: rig.database.url })
    const table = await questTable(rig.namespace)
    const { high } = await rig.log.watermarks({ topic: rows, partition: 0 })
    const sink = await warehouse.openSink({
      sink: rows,
      partition: 0,
      table,
      topicId: undefined,
      logEnd: high,
      tombstoneRetentionMs: 24 * HOUR,
      now: Date.now(),
    })
    await sink.flush({ upserts: rowsOf(table, expected), deletes: [], nextOffset: high, asOf: Date.now() })
    await sink.close()
    await warehouse.close()
    expect(compareCells(expected, await rig.database.cells())).toMatchObject(allEqual)
    await between(rig, offsets)
    return { rig, worker, expected }
  }

  it('fences the older one, which says so, writes nothing, and reads on behind the newer rows when it takes over again', async () => {
    const { rig, worker, expected } = await overtaken(async () => undefined)
    const other = (await offsetsOf(rig)) as Offsets
    await until('the refusal', 30_000, async () => /was taken over by another worker/.test(worker.output))
    expect(compareCells(expected, await rig.database.cells())).toMatchObject(allEqual)
    await until('the worker at its sink again', 30_000, async () => (await offsetsOf(rig))?.owner !== other.owner)
    const own = (await offsetsOf(rig)) as Offsets
    expect(BigInt(own.epoch as string)).toBe(BigInt(other.epoch as string) + 1n)
    expect(own.next_offset).toBe(other.next_offset)
    await worker.end('SIGTERM')
    const comparison = compareCells(expected, await rig.database.cells())
    console.info('fenced:', comparison)
    expect(comparison).toMatchObject(allEqual)
  }, 90_000)

  it('would overwrite newer rows if nothing fenced the older one', async () => {
    // The owner's mark is put back, so that the older writer finds itself the owner.
    const { rig, worker, expected } = await overtaken(async (rig, offsets) => {
      const columns = Object.keys(offsets)
      const set = columns.map((column, i) => `"${column}" = $${i + 1}`).join(', ')
      await rig.database.query(`UPDATE millrace_offsets SET ${set}`, Object.values(offsets))
    })
    const stale = await writesOver(rig, worker, expected)
    console.info('without the fence:', stale)
    expect(stale.wrong).toBeGreaterThan(100)
  }, 60_000)
})

type Data = Parameters<typeof generated>[0]
type Offsets = Readonly<Record<string, string | null>>

async function offsetsOf(rig: Rig): Promise<Offsets | undefined> {
  const [table] = await rig.database.query(`SELECT to_regclass('millrace_offsets')::text AS name`)
  if (!table?.name) return undefined
  const rows = await rig.database.query(
    'SELECT owner, epoch::text, next_offset::text, topic_id, table_id, as_of::text FROM millrace_offsets',
  )
  return rows[0]
}

/** Waits until the worker wrote, and ends it before it reads on. */
async function writesOver(rig: Rig, worker: Worker, expected: QuestCells) {
  const before = (await offsetsOf(rig))?.next_offset
  await until(
    'a flush of the worker',
    30_000,
    async () => (await offsetsOf(rig))?.next_offset !== before,
    () => worker.output,
  )
  await worker.end('SIGKILL')
  return compareCells(expected, await rig.database.cells())
}

async function questTable(namespace: string): Promise<TableSpec> {
  const { default: topology } = await import('./topologies/quest-minute.js')
  assertValid(topology)
  const sink = topology.outputs.find(node => node.kind === 'to-warehouse')
  if (sink === undefined) throw new Error('The topology has no warehouse sink.')
  return tableSpec(sink, namespace)
}

function rowsOf({ columns }: TableSpec, cells: QuestCells) {
  return [...cells].map(([id, { events, completions, gold, slowestMs, players }]) => {
    const [questType = '', start] = id.split(' ')
    const values: Record<string, string | number | Date> = {
      quest_type: questType,
      window_start: new Date(Number(start)),
      window_end: new Date(Number(start) + 60_000),
      events,
      completions,
      gold,
      slowest_ms: slowestMs,
      players,
    }
    return columns.map(({ name }) => values[name] ?? null)
  })
}
