import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it } from 'vitest'
import { Load } from './load.js'
import { sharing } from './members.js'
import { outputRecords } from './output-topic.js'
import { allEqual, cellId, compareCells, type QuestCell } from './quest-cells.js'
import { Rig } from './rig.js'
import { seededRandom } from './seeded-random.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''

describe.skipIf(kafka === '')('final rows in a topic', () => {
  it('come exactly once a window while workers join, leave and are killed', async () => {
    const { seed, random } = seededRandom('final rows through rebalances')
    const output = `final-rebalances-${seed}-${Date.now()}`
    const rig = await Rig.create({
      kafka,
      flags: { 'kafka-config': 'transaction.timeout.ms=5000' },
      env: { EMIT: 'final', OUTPUT: output, IDLE_AFTER: '10 seconds' },
    })
    const load = await Load.start(rig, { seed, rate: 800, total: 80_000 })
    const pause = () => sleep(Math.floor(random() * 1_000))
    const shares: (readonly number[])[] = []
    const rows: number[] = []
    const step = async (...workers: Parameters<typeof sharing>[1][number][]) => {
      shares.push(await sharing(rig, workers))
      rows.push((await finalRows()).length)
      await pause()
    }
    const finalRows = () => outputRecords(rig.log, output, rig.stateOf('one'))

    const one = rig.member('one')
    await one.logged(/^Running .*events/)
    const two = rig.member('two')
    await step(one, two)
    const killed = await one.end('SIGKILL')
    const three = rig.member('three')
    await step(two, three)
    const left = await two.end('SIGTERM')
    await step(three)
    const four = rig.member('four')
    await step(three, four)
    const total = await load.stop()
    const expected = load.cells(total)
    // The topic is silent now: the wall clock closes the last windows.
    await until(
      'all final rows',
      60_000,
      async () => (await finalRows()).length >= expected.size,
      () => three.output + four.output,
    )
    const ends = [await three.end('SIGTERM'), await four.end('SIGTERM')]

    const records = await finalRows()
    const found = new Map<string, QuestCell>()
    for (const { key, value } of records) {
      const { questType, windowStart } = key as { readonly questType: string; readonly windowStart: number | Date }
      found.set(cellId(questType, Number(windowStart)), value as QuestCell)
    }
    const comparison = compareCells(expected, found)
    console.info('final rows through rebalances:', { shares, rows, records: records.length, ends, ...comparison })
    expect(killed).toMatchObject({ hit: true, signal: 'SIGKILL' })
    expect(left).toMatchObject({ hit: true, code: 0 })
    expect(ends).toMatchObject([{ code: 0 }, { code: 0 }])
    // Windows were closed before each of the changes and after them.
    expect(rows[0]).toBeGreaterThan(0)
    expect([...new Set([...rows, records.length])].sort((a, b) => a - b)).toEqual([...rows, records.length])
    expect(records.length).toBe(found.size)
    expect(comparison.cells).toBeGreaterThanOrEqual(1_000)
    expect(comparison).toMatchObject(allEqual)
  }, 240_000)
})
