import { type GeneratedQuestEvent, type QuestEventOptions, questEvents } from '../../src/cli/quest-events.js'

/** One row of `quest_minute` as the tests compare it. */
export interface QuestCell {
  readonly events: number
  readonly completions: number
  readonly gold: number
  readonly slowestMs: number
  readonly players: number
}

/** Cells by quest type and window start. */
export type QuestCells = ReadonlyMap<string, QuestCell>

export const cellId = (questType: string, start: number) => `${questType} ${start}`

/** Standard error of the players, which are approximate: the default of `approxDistinct`. */
const STANDARD_ERROR = 0.023

/** Events `[from, to)` of the generator. */
export function* generated(options: QuestEventOptions, from = 0, to = options.total): Iterable<GeneratedQuestEvent> {
  const event = questEvents(options)
  for (let index = from; index < to; index++) yield event(index)
}

/** The answer, from the generator alone: cells of tumbling windows of `size` ms. */
export function expectedCells(events: Iterable<GeneratedQuestEvent>, size = 60_000): QuestCells {
  const cells = new Map<string, Omit<QuestCell, 'players'> & { readonly users: Set<string> }>()
  for (const { questType, eventType, userId, rewardGold, durationMs, occurredAt } of events) {
    const id = cellId(questType, occurredAt - (occurredAt % size))
    const cell = cells.get(id) ?? { events: 0, completions: 0, gold: 0, slowestMs: 0, users: new Set() }
    cells.set(id, {
      events: cell.events + 1,
      completions: cell.completions + (eventType === 'COMPLETED' ? 1 : 0),
      gold: cell.gold + rewardGold,
      slowestMs: Math.max(cell.slowestMs, durationMs),
      users: cell.users.add(userId),
    })
  }
  return new Map([...cells].map(([id, { users, ...cell }]) => [id, { ...cell, players: users.size }]))
}

export interface Comparison {
  readonly cells: number
  readonly wrong: number
  readonly missing: number
  readonly extra: number
  /** The first few differences. */
  readonly examples: readonly string[]
}

/** Compares cell by cell: exact measures equal, players within max(2, 5 standard errors). */
export function compareCells(expected: QuestCells, found: QuestCells): Comparison {
  const examples: string[] = []
  const differs = (id: string) => {
    if (examples.length < 5)
      examples.push(`${id}: ${JSON.stringify(found.get(id))}, not ${JSON.stringify(expected.get(id))}`)
    return true
  }
  const ids = [...expected.keys()]
  const missing = ids.filter(id => !found.has(id) && differs(id)).length
  const extra = [...found.keys()].filter(id => !expected.has(id) && differs(id)).length
  const wrong = ids.filter(id => {
    const cell = found.get(id)
    return cell !== undefined && !sameCell(expected.get(id) as QuestCell, cell) && differs(id)
  }).length
  return { cells: expected.size, wrong, missing, extra, examples }
}

function sameCell(expected: QuestCell, found: QuestCell): boolean {
  const { players, ...exact } = expected
  return (
    Object.entries(exact).every(([name, value]) => found[name as keyof QuestCell] === value) &&
    Math.abs(found.players - players) <= Math.max(2, 5 * STANDARD_ERROR * players)
  )
}

/** What a comparison without differences looks like. */
export const allEqual = { wrong: 0, missing: 0, extra: 0, examples: [] }
