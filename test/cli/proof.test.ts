import { describe, expect, it } from 'vitest'
import { type Proof, prove, type TableRow } from '../../src/cli/proof.js'
import type { GeneratedQuestEvent } from '../../src/cli/quest-events.js'
import { questEvent, questEventSchema, questLog, TOPIC } from './quest-log.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const SECOND = 1_000
const MINUTE = 60_000

function row(given: TableRow = {}): TableRow {
  return {
    quest_type: 'hunt',
    window_start: new Date(NOON),
    window_end: new Date(NOON + MINUTE),
    events: 3,
    completions: 1,
    gold: 60n,
    slowest_ms: 500,
    players: 2,
    ...given,
  }
}

/** Three events of one minute in two partitions, which {@link row} stands for. */
const EVENTS: readonly GeneratedQuestEvent[][] = [
  [
    questEvent({ rewardGold: 10, durationMs: 300 }),
    questEvent({ rewardGold: 20, durationMs: 500, eventType: 'COMPLETED', occurredAt: NOON + MINUTE - 1 }),
  ],
  [questEvent({ rewardGold: 30, durationMs: 200, userId: 'u2', occurredAt: NOON + 10 * SECOND })],
]

async function proofOf(events: readonly (readonly GeneratedQuestEvent[])[], rows: readonly TableRow[]): Promise<Proof> {
  const log = await questLog(...events)
  try {
    return await prove(
      log,
      TOPIC,
      questEventSchema,
      (async function* () {
        yield* rows
      })(),
    )
  } finally {
    await log.close()
  }
}

const EQUAL = { wrongCells: 0, missingCells: 0, extraCells: 0, differences: [] }

describe('prove', () => {
  it('finds rows equal to their events', async () => {
    const proof = await proofOf(EVENTS, [row()])
    expect(proof).toMatchObject({ ...EQUAL, records: 3, cells: 1, rows: 1, late: 0, meanPlayersError: 0 })
    expect(proof.largest).toEqual([{ row: row(), players: 2 }])
  })

  it.each([
    ['events', { events: 2 }, 'says events 2, and its events say 3'],
    ['completions', { completions: 0 }, 'says completions 0, and its events say 1'],
    ['gold', { gold: 61n }, 'says gold 61, and its events say 60'],
    ['slowest', { slowest_ms: 499 }, 'says slowest_ms 499, and its events say 500'],
    ['window end', { window_end: new Date(NOON + MINUTE - 1) }, 'says window_end'],
    ['null', { gold: null }, 'says gold null'],
    ['too many players', { players: 5 }, 'says players 5, and its events say 2'],
    ['no players', { players: -1 }, 'says players -1'],
  ])('counts a row that is wrong: %s', async (_, wrong, sentence) => {
    const proof = await proofOf(EVENTS, [row(wrong)])
    expect(proof).toMatchObject({ cells: 1, wrongCells: 1, missingCells: 0, extraCells: 0 })
    expect(proof.differences).toHaveLength(1)
    expect(proof.differences[0]).toContain(`"hunt" at 2026-11-01T12:00:00.000Z ${sentence}`)
  })

  it('allows players two more or less, whatever the error', async () => {
    expect(await proofOf(EVENTS, [row({ players: 4 })])).toMatchObject({ ...EQUAL, meanPlayersError: 1 })
  })

  it('allows five standard errors of many players', async () => {
    const users = Array.from({ length: 1_000 }, (_, n) => questEvent({ userId: `u${n}` }))
    const cell = { events: 1_000, completions: 0, gold: 1_000, slowest_ms: 1 }
    expect(await proofOf([users], [row({ ...cell, players: 1_114 })])).toMatchObject(EQUAL)
    expect(await proofOf([users], [row({ ...cell, players: 1_116 })])).toMatchObject({ wrongCells: 1 })
    expect(await proofOf([users], [row({ ...cell, players: 884 })])).toMatchObject({ wrongCells: 1 })
  })

  it('counts a row that is missing', async () => {
    expect(await proofOf(EVENTS, [])).toMatchObject({
      cells: 1,
      wrongCells: 0,
      missingCells: 1,
      extraCells: 0,
      rows: 0,
    })
  })

  it('counts rows that no events stand for, and a row that is there twice', async () => {
    const extra = [row({ quest_type: 'boss' }), row({ window_start: new Date(NOON + MINUTE) }), row()]
    const proof = await proofOf(EVENTS, [row(), ...extra])
    expect(proof).toMatchObject({ cells: 1, wrongCells: 0, missingCells: 0, extraCells: 3, rows: 4 })
    expect(proof.differences).toHaveLength(3)
  })

  it('leaves an event out when its minute was over, by half a minute, for its own partition', async () => {
    const events = (closing: number) => [
      [questEvent({ questType: 'boss', occurredAt: NOON + closing }), questEvent({ rewardGold: 7 })],
      [questEvent({ questType: 'raid', occurredAt: NOON + 10 * MINUTE })],
    ]
    const single = { events: 1, completions: 0, slowest_ms: 1, players: 1 }
    const boss = row({
      ...single,
      quest_type: 'boss',
      window_start: new Date(NOON + MINUTE),
      window_end: new Date(NOON + 2 * MINUTE),
      gold: 1,
    })
    const raid = row({
      ...single,
      quest_type: 'raid',
      window_start: new Date(NOON + 10 * MINUTE),
      window_end: new Date(NOON + 11 * MINUTE),
      gold: 1,
    })
    const hunt = row({ ...single, gold: 7 })
    expect(await proofOf(events(90 * SECOND - 1), [boss, raid, hunt])).toMatchObject({ ...EQUAL, cells: 3, late: 0 })
    expect(await proofOf(events(90 * SECOND), [boss, raid])).toMatchObject({ ...EQUAL, cells: 2, late: 1 })
    expect(await proofOf(events(90 * SECOND), [boss, raid, hunt])).toMatchObject({ cells: 2, extraCells: 1 })
  })

  it('shows the largest cells, and names the first differences only', async () => {
    const events = Array.from({ length: 30 }, (_, n) =>
      Array.from({ length: n + 1 }, () => questEvent({ questType: `type-${n}` })),
    ).flat()
    const rows = Array.from({ length: 30 }, (_, n) =>
      row({ quest_type: `type-${n}`, events: n + 1, completions: 9, gold: n + 1, slowest_ms: 1, players: 1 }),
    )
    const proof = await proofOf([events], rows)
    expect(proof).toMatchObject({ cells: 30, wrongCells: 30 })
    expect(proof.differences).toHaveLength(10)
    expect(proof.largest.map(cell => cell.row.events)).toEqual([30, 29, 28, 27, 26, 25, 24, 23, 22, 21])
  })
})
