import avsc from 'avsc'
import { describe, expect, it } from 'vitest'
import { PARTITIONS } from '../../../bench/presto/event-topic.js'
import { skew } from '../../../bench/presto/figures.js'
import { FROM, QuestEvents, UNTIL } from '../../../bench/presto/quest-events.js'
import { Truth } from '../../../bench/presto/truth.js'
import { partitionFor } from '../../../src/model/murmur2.js'

import { readSchemaFile } from '../../../src/serde/schema-files.js'

const EVENTS = 20_000
const header = Buffer.from([0, 0, 0, 0, 9])

describe('the events of the measurement', () => {
  it('are the same each time, and their bytes say what they are', () => {
    const { schema } = readSchemaFile('schemas/quest-event.avsc')
    const type = avsc.Type.forSchema(schema as avsc.Schema)
    const events = new QuestEvents(EVENTS, header)
    const again = new QuestEvents(EVENTS, header)
    for (let i = 0; i < 500; i++) {
      events.next()
      again.next()
      expect(again.event).toEqual(events.event)
      expect({ ...(type.fromBuffer(events.encoded().subarray(header.length)) as object) }).toEqual(events.event)
    }
  })

  it('spread over seven whole days, by many players of whom a few make many', () => {
    const events = new QuestEvents(EVENTS, header)
    const truth = new Truth(PARTITIONS)
    const days = new Map<number, number>()
    const players = new Map<string, number>()
    const cells = new Map<string, Set<string>>()
    for (let i = 0; i < EVENTS; i++) {
      events.next()
      const { userId, occurredAt, questType } = events.event
      truth.add(events.event, partitionFor(Buffer.from(userId), PARTITIONS))
      expect(occurredAt).toBeGreaterThanOrEqual(FROM)
      expect(occurredAt).toBeLessThan(UNTIL)
      const day = Math.floor((occurredAt - FROM) / 86_400_000)
      days.set(day, (days.get(day) ?? 0) + 1)
      players.set(userId, (players.get(userId) ?? 0) + 1)
      const cell = `${questType} 2026-11-0${day + 1}`
      cells.set(cell, (cells.get(cell) ?? new Set()).add(userId))
    }
    expect([...days.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    const busiest = [...players.values()].sort((a, b) => b - a)
    expect(busiest.slice(0, 5).reduce((sum, count) => sum + count, 0) / EVENTS).toBeCloseTo(0.25, 1)
    expect(busiest[5]).toBeLessThan(20)
    expect(players.size).toBeGreaterThan(10_000)
    expect(truth.playersByTypeAndDay()).toEqual(new Map([...cells].map(([cell, users]) => [cell, users.size])))
    expect(truth.byUser.reduce((sum, count) => sum + count, 0)).toBe(EVENTS)
    expect(skew(truth.byUser)).toBeGreaterThan(1.3)
    expect(skew(truth.byQuestType)).toBeGreaterThan(skew(truth.byUser))
  })
})
