/** What the generator makes: a value of `schemas/quest-event.avsc`. */
export interface GeneratedQuestEvent {
  readonly eventId: string
  readonly userId: string
  readonly questId: string
  readonly questType: string
  readonly eventType: string
  readonly region: string
  readonly rewardGold: number
  readonly durationMs: number
  readonly occurredAt: number
}

export interface QuestEventOptions {
  /** A whole number; the same seed gives the same events. */
  readonly seed: number
  /** Event time of the first event, in ms since 1970. */
  readonly start: number
  /** Event time that all events spread over, in ms. */
  readonly spanMs: number
  /** Number of events. */
  readonly total: number
}

/** By rank: the first is the most frequent (Zipf, exponent 1). */
export const QUEST_TYPES: readonly string[] = (
  'hunt gather escort deliver explore defend puzzle craft boss raid ' +
  'duel fishing mining cooking rescue stealth race trade ritual seasonal'
).split(' ')
const EVENT_TYPES = ['STARTED', 'PROGRESSED', 'COMPLETED', 'ABANDONED']
const REGIONS = ['eu-west1', 'eu-north', 'us-east1', 'us-west2', 'ap-south', 'ap-east1', 'sa-east1', 'af-south']
const USERS = 100_000
const FIRST_QUEST = 1_000
const QUESTS = 5_000
const GOLD = 500
const LONGEST_MS = 600_000
/** Events are out of order by up to this much, in ms. */
const JITTER_MS = 5_000

/** Upper bounds of the quest types in `[0, 2^32)`. */
const TYPE_BOUNDS = (() => {
  const weights = QUEST_TYPES.map((_, rank) => 1 / (rank + 1))
  const sum = weights.reduce((a, b) => a + b)
  let below = 0
  return weights.map((weight, rank) => {
    below += weight
    return rank === weights.length - 1 ? 2 ** 32 : Math.round((below / sum) * 2 ** 32)
  })
})()

/** sfc32, a small fast generator of 32-bit numbers (PractRand). */
class Sfc32 {
  private a = 0
  private b = 0
  private c = 0
  private counter = 1

  seed(a: number, b: number, c: number): void {
    this.a = a | 0
    this.b = b | 0
    this.c = c | 0
    this.counter = 1
    for (let i = 0; i < 12; i++) this.next()
  }

  /** The next number, `[0, 2^32)`. */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number of `[0, below)`. */
  below(below: number): number {
    return Math.floor((this.next() / 2 ** 32) * below)
  }
}

function table(size: number, text: (index: number) => string): readonly string[] {
  return Array.from({ length: size }, (_, index) => text(index))
}

/**
 * A seeded generator of quest events. The event at an index depends on the options and the index only, so any part of the
 * sequence can be made again. Event times rise evenly over the span, ±5 seconds; 20 quest types by Zipf, 100,000 users.
 */
export function questEvents(options: QuestEventOptions): (index: number) => GeneratedQuestEvent {
  const { seed, start, spanMs, total } = options
  const random = new Sfc32()
  const hex = table(65_536, n => n.toString(16).padStart(4, '0'))
  const users = table(USERS, n => `u${String(n).padStart(8, '0')}`)
  const quests = table(QUESTS, n => `quest-${FIRST_QUEST + n}`)
  const seedLow = Math.imul(seed, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32)

  const hex4 = () => hex[random.next() >>> 16] as string
  const pick = (values: readonly string[]) => values[random.below(values.length)] as string
  const uuid = () => {
    const version = hex[(random.next() & 0x0fff) | 0x4000] as string
    const variant = hex[(random.next() & 0x3fff) | 0x8000] as string
    return `${hex4()}${hex4()}-${hex4()}-${version}-${variant}-${hex4()}${hex4()}${hex4()}`
  }
  const questType = () => {
    const at = random.next()
    let rank = 0
    while (at >= (TYPE_BOUNDS[rank] as number)) rank++
    return QUEST_TYPES[rank] as string
  }

  return index => {
    random.seed(seedLow, index, Math.floor(index / 2 ** 32))
    return {
      eventId: uuid(),
      userId: pick(users),
      questId: pick(quests),
      questType: questType(),
      eventType: pick(EVENT_TYPES),
      region: pick(REGIONS),
      rewardGold: random.below(GOLD),
      durationMs: 1 + random.below(LONGEST_MS),
      occurredAt: start + Math.floor((index * spanMs) / total) + random.below(2 * JITTER_MS + 1) - JITTER_MS,
    }
  }
}
