import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QUEST_TYPES, questEvents } from '../../src/cli/quest-events.js'
import { avroCodec } from '../../src/serde/avro-codec.js'

const schema = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../schemas/quest-event.avsc', import.meta.url)), 'utf8'),
)

const START = Date.UTC(2026, 10, 1)
const HOURS_6 = 6 * 3_600_000
const options = { seed: 7, start: START, spanMs: HOURS_6, total: 100_000 }

describe('an event', () => {
  it('depends on the options and its index only, across versions', () => {
    expect(questEvents(options)(0)).toEqual({
      eventId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      userId: expect.stringMatching(/^u000\d{5}$/),
      questId: expect.stringMatching(/^quest-[1-5]\d{3}$/),
      questType: expect.any(String),
      eventType: expect.any(String),
      region: expect.any(String),
      rewardGold: expect.any(Number),
      durationMs: expect.any(Number),
      occurredAt: expect.any(Number),
    })
    expect([0, 1, 99_999].map(questEvents(options))).toMatchInlineSnapshot(`
      [
        {
          "durationMs": 204871,
          "eventId": "9e8da39c-7727-4dd0-840e-d37b64cadb41",
          "eventType": "STARTED",
          "occurredAt": 1793491197118,
          "questId": "quest-2399",
          "questType": "hunt",
          "region": "eu-west1",
          "rewardGold": 312,
          "userId": "u00003303",
        },
        {
          "durationMs": 252037,
          "eventId": "f7542f24-fbe7-400e-b83a-7b4090e5c366",
          "eventType": "PROGRESSED",
          "occurredAt": 1793491197959,
          "questId": "quest-2473",
          "questType": "mining",
          "region": "us-east1",
          "rewardGold": 490,
          "userId": "u00060551",
        },
        {
          "durationMs": 305746,
          "eventId": "c9f7ad7d-c957-4155-8f44-3cae386bc40c",
          "eventType": "COMPLETED",
          "occurredAt": 1793512802028,
          "questId": "quest-4049",
          "questType": "mining",
          "region": "us-west2",
          "rewardGold": 278,
          "userId": "u00035283",
        },
      ]
    `)
    const [forward, again] = [questEvents(options), questEvents(options)]
    const first = Array.from({ length: 100 }, (_, i) => forward(i))
    expect(Array.from({ length: 100 }, (_, i) => again(99 - i)).reverse()).toEqual(first)
  })

  it('is a value of the schema, for any seed and index', () => {
    const codec = avroCodec(schema)
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(2 ** 40), (seed, index) => {
        const event = questEvents({ ...options, seed, total: 2 ** 41 })(index)
        expect(codec.decode(codec.encode(event))).toEqual(event)
      }),
      { numRuns: 30 },
    )
  })
})

describe('many events', () => {
  const event = questEvents(options)
  const events = Array.from({ length: options.total }, (_, i) => event(i))
  const counts = (of: (e: (typeof events)[number]) => string | number) => {
    const map = new Map<string | number, number>()
    for (const one of events) map.set(of(one), (map.get(of(one)) ?? 0) + 1)
    return map
  }
  /** Five standard errors of a count with this share. */
  const near = (count: number, share: number) =>
    expect(Math.abs(count - share * events.length)).toBeLessThan(5 * Math.sqrt(share * (1 - share) * events.length))

  it('have quest types by Zipf', () => {
    const byType = counts(e => e.questType)
    const sum = QUEST_TYPES.reduce((total, _, rank) => total + 1 / (rank + 1), 0)
    expect(byType.size).toBe(20)
    QUEST_TYPES.forEach((type, rank) => {
      near(byType.get(type) ?? 0, 1 / (rank + 1) / sum)
    })
  })

  it('are even in everything else', () => {
    for (const count of counts(e => e.eventType).values()) near(count, 1 / 4)
    for (const count of counts(e => e.region).values()) near(count, 1 / 8)
    expect([counts(e => e.eventType).size, counts(e => e.region).size]).toEqual([4, 8])
    near(events.filter(e => e.rewardGold < 250).length, 1 / 2)
    near(events.filter(e => e.durationMs <= 300_000).length, 1 / 2)
    near(events.filter(e => e.userId < 'u00050000').length, 1 / 2)
    near(events.filter(e => e.questId < 'quest-3500').length, 1 / 2)
    expect(new Set(events.map(e => e.eventId)).size).toBe(events.length)
    // 100,000 draws from 100,000 users leave one in e undrawn.
    expect(Math.abs(counts(e => e.userId).size / 100_000 - (1 - 1 / Math.E))).toBeLessThan(0.01)
  })

  it('stay within their limits', () => {
    const range = (of: (e: (typeof events)[number]) => number) => {
      const values = events.map(of).sort((a, b) => a - b)
      return [values[0], values.at(-1)]
    }
    expect(range(e => e.rewardGold)).toEqual([0, 499])
    const [shortest, longest] = range(e => e.durationMs)
    expect(shortest).toBeGreaterThanOrEqual(1)
    expect(longest).toBeLessThanOrEqual(600_000)
  })

  it('rise evenly in time, out of order by up to five seconds', () => {
    const jitters = events.map((e, i) => e.occurredAt - START - Math.floor((i * HOURS_6) / options.total))
    expect(jitters.every(jitter => Math.abs(jitter) <= 5_000)).toBe(true)
    expect([jitters.some(jitter => jitter < -4_900), jitters.some(jitter => jitter > 4_900)]).toEqual([true, true])
    near(jitters.filter(jitter => jitter > 0).length, 5_000 / 10_001)
  })

  it('of another seed are others', () => {
    const other = questEvents({ ...options, seed: 8 })
    expect(events.slice(0, 1_000).filter((e, i) => e.questId === other(i).questId).length).toBeLessThan(10)
  })

  it('are made at 100,000 a second and more on a slow machine', () => {
    const codec = avroCodec(schema)
    const before = process.cpuUsage()
    for (let i = 0; i < 100_000; i++) codec.encode(event(i))
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(1_000)
  })
})
