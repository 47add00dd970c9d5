import type { QuestEvent } from '../../schemas/quest-event.js'
import { AvroWriter } from '../avro-writer.js'
import { SplitMix } from '../split-mix.js'
import { questType, REGIONS, START, uuid } from '../workload.js'

/** Event time that the events spread over, however many they are: seven whole days. */
const SPAN = 7 * 86_400_000
/** Event time of the first event: a midnight in UTC. */
export const FROM = START
/** Behind the event time of the last event: a midnight in UTC. */
export const UNTIL = FROM + SPAN

/** Players who make a quarter of all events between them, as scripts and guild accounts do: their share of all events. */
const BUSY_PLAYERS = [0.1, 0.06, 0.04, 0.03, 0.02] as const
const PLAYERS = 100_000
const QUESTS = 5_000
const EVENT_TYPES = ['STARTED', 'PROGRESSED', 'COMPLETED', 'ABANDONED'] as const
/** Events come at most so much before or after their turn. */
const JITTER = 5_000

type Writable<T> = { -readonly [F in keyof T]: T[F] }

/**
 * The seeded events of the measurement: about 100,000 players of whom five are very active, 20 quest types (Zipf, exponent
 * 1), 5,000 quests, 8 regions.
 */
export class QuestEvents {
  /** The event that `next` made; the same object for each. */
  readonly event: Writable<QuestEvent> = {
    eventId: '',
    userId: '',
    questId: '',
    questType: '',
    eventType: 'STARTED',
    region: '',
    rewardGold: 0,
    durationMs: 0,
    occurredAt: 0,
  }
  private readonly random: SplitMix
  private readonly writer: AvroWriter
  private index = 0

  /** `count` events that spread over the span; `header` is what stands before every value in wire format. */
  constructor(
    private readonly count: number,
    header: Buffer,
    seed = 7,
  ) {
    this.random = new SplitMix(seed)
    this.writer = new AvroWriter(header)
  }

  /** Makes the next event, which happened at `at` (default: at its turn). */
  next(at: number = this.turn()): void {
    const { event, random } = this
    event.eventId = uuid(random)
    event.userId = player(random)
    event.questId = `quest-${1_000 + random.below(QUESTS)}`
    event.questType = questType(random)
    event.eventType = EVENT_TYPES[random.below(EVENT_TYPES.length)]!
    event.region = REGIONS[random.below(REGIONS.length)]!
    event.rewardGold = random.below(500)
    event.durationMs = 1 + random.below(600_000)
    event.occurredAt = at
    this.index++
  }

  /** The event that `next` made, in wire format (schema `schemas/quest-event.avsc`). */
  encoded(): Buffer {
    const { event, writer } = this
    writer.begin()
    writer.text(event.eventId)
    writer.text(event.userId)
    writer.text(event.questId)
    writer.text(event.questType)
    writer.long(EVENT_TYPES.indexOf(event.eventType))
    writer.text(event.region)
    writer.long(event.rewardGold)
    writer.long(event.durationMs)
    writer.long(event.occurredAt)
    return writer.end()
  }

  private turn(): number {
    const at = FROM + Math.trunc((this.index * SPAN) / this.count) + this.random.below(2 * JITTER + 1) - JITTER
    return Math.min(Math.max(at, FROM), UNTIL - 1)
  }
}

function player(random: SplitMix): string {
  const share = random.fraction()
  let below = 0
  for (const [index, part] of BUSY_PLAYERS.entries()) {
    below += part
    if (share < below) return playerId(index)
  }
  return playerId(BUSY_PLAYERS.length + random.below(PLAYERS))
}

const playerId = (number: number): string => `u${String(number).padStart(7, '0')}`

/** The number in a player's id, from 0 to 100,004. */
export const playerNumber = (userId: string): number => Number(userId.slice(1))
