import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import type { Log } from '../../src/ports/log.js'
import { outputRecords } from './output-topic.js'
import { allEqual, cellId, compareCells, expectedCells, generated, type QuestCell } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const HOUR = 3_600_000

interface Row extends QuestCell {
  readonly questType: string
}

describe.skipIf(kafka === '')('final rows in a topic', () => {
  it('come exactly once a window, however often the worker is killed', async () => {
    const { random, seed } = seededRandom('final')
    const output = `final-${seed}-${Date.now()}`
    const rig = await Rig.create({ kafka, env: { EMIT: 'final', OUTPUT: output, IDLE_AFTER: '10 seconds' } })
    const data = { seed, start: Date.now() - 12 * HOUR, spanMs: 12 * HOUR, total: 120_000 }
    const production = new AbortController()
    await rig.produce({ ...data, to: 1_000, partitions: 4 })
    const producing = rig.produce({ ...data, from: 1_000, rate: 1_000, signal: production.signal })
    const kills: { readonly hit: boolean; readonly read: number; readonly offsetsUsed: number }[] = []
    for (let kill = 0; kill < 3; kill++) {
      const worker = rig.worker()
      await worker.logged(/^Running .*events/)
      await rig.readBeyond(kills.at(-1)?.read ?? 0, worker)
      await sleep(Math.floor(random() * 1_500))
      const { hit } = await worker.end('SIGKILL')
      kills.push({ hit, read: (await rig.accounting()).read, offsetsUsed: await offsetsUsed(rig.log, output) })
    }
    const last = rig.worker()
    await last.logged(/^Running .*events/)
    production.abort()
    const { next: total } = await producing
    const expected = expectedCells(generated(data, 0, total))
    // The topic is silent now: the wall clock closes the last windows.
    const read = () => outputRecords(rig.log, output, rig.state)
    const complete = async () =>
      (await offsetsUsed(rig.log, output)) >= expected.size && (await read()).length >= expected.size
    await until('all final rows', 60_000, complete, () => last.output)
    expect(await last.end('SIGTERM')).toMatchObject({ code: 0 })

    const records = await read()
    const found = new Map<string, QuestCell>()
    for (const { key, value } of records) {
      const { questType, windowStart } = key as { readonly questType: string; readonly windowStart: number | Date }
      found.set(cellId(questType, Number(windowStart)), value as Row)
    }
    const comparison = compareCells(expected, found)
    console.info('final rows:', { kills, records: records.length, keys: found.size, ...comparison })
    expect(kills.every(({ hit }) => hit)).toBe(true)
    expect(kills.at(-1)?.read).toBeGreaterThan(0)
    expect(kills.at(-1)?.offsetsUsed).toBeGreaterThan(100)
    expect(kills.at(-1)?.read).toBeLessThan(total)
    expect(found.size).toBe(records.length)
    expect(comparison).toMatchObject(allEqual)
  }, 180_000)
})

/** How many offsets a topic has used: its records, those of open and aborted transactions, and a marker for each of these. */
async function offsetsUsed(log: Log, topic: string): Promise<number> {
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  let used = 0
  for (let partition = 0; partition < partitions; partition++) used += (await log.watermarks({ topic, partition })).high
  return used
}
