import { TopologyTestDriver } from 'millrace/testing'
import { expect, test } from 'vitest'
import questMinute from '../../topologies/quest-minute.js'

const noon = Date.parse('2026-11-01T12:00:00Z')
const event = {
  eventId: 'e1',
  userId: 'anna',
  questId: 'q7',
  questType: 'escort',
  eventType: 'STARTED',
  region: 'eu',
  rewardGold: 0,
  durationMs: 0,
  occurredAt: noon,
}

test('one row a quest type and minute, and late events are counted', async () => {
  const driver = await TopologyTestDriver.start(questMinute, { partitions: 4, startTime: noon })
  const send = (changes: Partial<typeof event>) => {
    const value = { ...event, ...changes }
    return driver.pipe('quest-events', { key: value.userId, value })
  }

  await send({})
  await send({ userId: 'ben', eventType: 'COMPLETED', rewardGold: 120, durationMs: 90_000, occurredAt: noon + 20_000 })
  expect(await driver.rows('quest_minute')).toEqual([
    {
      quest_type: 'escort',
      window_start: new Date(noon),
      window_end: new Date(noon + 60_000),
      events: 2,
      completions: 1,
      gold: 120,
      slowest_ms: 90_000,
      players: 2,
    },
  ])

  // A minute and a half later Anna's partition has moved on: what it still brings for the first minute is late.
  await driver.advanceWallClock('90 seconds')
  await send({ occurredAt: noon + 90_000 })
  await send({ occurredAt: noon + 59_999 })
  expect(await driver.accounting()).toMatchObject({ read: 4, aggregated: 3, late: 1 })
  await driver.close()
})
