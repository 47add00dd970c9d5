import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { GeneratedQuestEvent } from '../../src/cli/quest-events.js'
import { allEqual, cellId, compareCells, expectedCells } from './quest-cells.js'
import { QuestTopic, questEvent } from './quest-topic.js'
import { Rig } from './rig.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const SIZE = 5_000
const GRACE = 1_000
const IDLE_AFTER = 2_000
const COMMIT = 200
/** Half the freshness: a row is flushed when it has waited so long. */
const FLUSH = 500
/** Work on two cores that other tests use too. */
const SLACK = 2_500

describe.skipIf(kafka === '' || postgres === '')('windows without further records', () => {
  it('close on the wall clock, with an empty partition, an idle one and an idle topic', async () => {
    const env = { SIZE: '5 seconds', GRACE: '1 second', IDLE_AFTER: '2 seconds', EMIT: 'final', FRESHNESS: '1 second' }
    const rig = await Rig.create({ kafka, postgres, env, flags: { 'commit-interval': `${COMMIT}ms` } })
    const topic = await QuestTopic.create(rig.log, rig.source, 3)
    onTestFinished(() => topic.close())
    const sent: GeneratedQuestEvent[] = []
    const send = async (partition: number) => {
      const event = questEvent({ questType: `type-${partition}`, userId: `user-${sent.length}` })
      await topic.send(partition, [event])
      sent.push(event)
    }
    const worker = rig.worker()
    await worker.logged(/^Running .*events/)

    // Partition 2 never has a record. Partition 1 has one and falls silent. Partition 0 goes on for 12 seconds.
    const start = Date.now()
    await send(1)
    const arrivals = new Map<string, number>()
    const look = async () => {
      if ((await rig.database.events()) === 0) return
      for (const id of (await rig.database.cells()).keys()) if (!arrivals.has(id)) arrivals.set(id, Date.now())
    }
    while (Date.now() - start < 12_000) {
      await send(0)
      await look()
      await sleep(50)
    }
    const early = new Set(arrivals.keys())
    const last = sent.at(-1)?.occurredAt ?? 0

    // From here on the topic is silent.
    const expected = expectedCells(sent, SIZE)
    await until(
      'all windows in the warehouse',
      30_000,
      async () => {
        await look()
        return arrivals.size >= expected.size
      },
      () => `${JSON.stringify([...arrivals.keys()])} of ${JSON.stringify([...expected.keys()])}: ${worker.output}`,
    )
    const delays = [...arrivals].map(([id, at]) => {
      const end = Number(id.split(' ')[1]) + SIZE
      return { id, whileRecordsCame: early.has(id), afterCloseMs: at - (end + GRACE) }
    })
    const comparison = compareCells(expected, await rig.database.cells())
    const accounting = await rig.accounting()
    console.info('idle:', { delays, ...comparison, ...accounting })
    expect(comparison).toMatchObject(allEqual)
    expect(accounting).toMatchObject({ read: sent.length, aggregated: sent.length, late: 0, lateAfterIdle: 0 })
    // Some closed while partition 0 had records and 1 and 2 had none, some after the last record of all.
    expect(early.has(cellId('type-0', start - (start % SIZE)))).toBe(true)
    expect(early.has(cellId('type-1', start - (start % SIZE)))).toBe(true)
    expect(arrivals.has(cellId('type-0', last - (last % SIZE)))).toBe(true)
    expect(early.has(cellId('type-0', last - (last % SIZE)))).toBe(false)
    for (const { afterCloseMs } of delays) {
      // Nothing is final before its window closed.
      expect(afterCloseMs).toBeGreaterThanOrEqual(0)
      expect(afterCloseMs).toBeLessThan(IDLE_AFTER + COMMIT + FLUSH + SLACK)
    }
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
  }, 60_000)
})
