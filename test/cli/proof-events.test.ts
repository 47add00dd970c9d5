import { describe, expect, it } from 'vitest'
import { type RawEvent, rawEvents } from '../../src/cli/proof-events.js'
import { questEvent, questEventSchema, questLog, TOPIC } from './quest-log.js'

const NOON = Date.UTC(2026, 10, 1, 12)

interface Visit {
  readonly event?: RawEvent
  readonly laneTime?: number
  readonly reached?: number
}

async function visitsOf(...partitions: Parameters<typeof questLog>): Promise<{ visits: Visit[]; records: number }> {
  const log = await questLog(...partitions)
  const visits: Visit[] = []
  const records = await rawEvents(log, TOPIC, questEventSchema, {
    event: (event, laneTime) => visits.push({ event, laneTime }),
    reached: time => visits.push({ reached: time }),
  })
  await log.close()
  return { visits, records }
}

describe('rawEvents', () => {
  it('brings every event with the highest time of its partition so far', async () => {
    const times = [0, 5_000, 2_000, 9_000].map(after => NOON + after)
    const { visits, records } = await visitsOf(
      times.map(occurredAt => questEvent({ occurredAt })),
      [],
    )
    expect(records).toBe(4)
    const events = visits.filter(visit => visit.event)
    expect(events.map(({ event }) => event?.occurredAt)).toEqual(times)
    expect(events.map(({ laneTime }) => laneTime)).toEqual([0, 5_000, 5_000, 9_000].map(after => NOON + after))
    expect(visits.at(-1)).toEqual({ reached: Number.POSITIVE_INFINITY })
  })

  it('never reaches a time that a partition with more events is behind', async () => {
    const partition = (step: number, count: number) =>
      Array.from({ length: count }, (_, n) => questEvent({ occurredAt: NOON + n * step }))
    const { visits, records } = await visitsOf(partition(10, 5_000), partition(7, 3_000), partition(1_000, 40))
    expect(records).toBe(8_040)
    let reached = Number.NEGATIVE_INFINITY
    for (const { event, laneTime, reached: time } of visits) {
      if (event) expect(laneTime).toBeGreaterThanOrEqual(reached)
      else {
        expect(time).toBeGreaterThanOrEqual(reached)
        reached = time as number
      }
    }
    expect(visits.filter(visit => visit.reached !== undefined).length).toBeGreaterThan(10)
  })

  it('nothing is there before the topic is', async () => {
    const log = await questLog()
    const visitor = { event: () => undefined, reached: () => undefined }
    expect(await rawEvents(log, 'no-topic', questEventSchema, visitor)).toBe(0)
    await log.close()
  })

  it.each([
    ['another magic byte', Buffer.from([1, 0, 0, 0, 1, 2, 97])],
    ['bytes that end too early', Buffer.from([0, 0, 0, 0, 1, 2, 97])],
    ['no bytes', Buffer.alloc(0)],
  ])('refuses a record of %s by its place', async (_, bytes) => {
    await expect(visitsOf([questEvent(), bytes, questEvent()])).rejects.toThrow(
      'quest-events/0 holds a record at offset 1 that is no quest event in wire format.',
    )
  })
})
