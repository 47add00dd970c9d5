import { AvroWriter } from './avro-writer.js'
import { SplitMix } from './split-mix.js'

/** Event time of the first event: 2026-11-01T00:00:00Z. */
export const START = 1_793_491_200_000
/** Event time that `EVENTS_A_SPAN` events spread over: 24 hours. */
const SPAN = 86_400_000
/** Events in 24 hours of event time. */
const EVENTS_A_SPAN = 3_000_000
/** By rank: the first is the most frequent (Zipf, exponent 1). */
const QUEST_TYPES = (
  'hunt gather escort deliver explore defend puzzle craft boss raid ' +
  'duel fishing mining cooking rescue stealth race trade ritual seasonal'
).split(' ')
export const REGIONS = ['eu-west1', 'eu-north', 'us-east1', 'us-west2', 'ap-south', 'ap-east1', 'sa-east1', 'af-south']
const SEED = 42
const WINDOW = 60_000

/** Upper bounds of the quest types in `[0, 1)`. */
const TYPE_BOUNDS = (() => {
  const total = QUEST_TYPES.reduce((sum, _, rank) => sum + 1 / (rank + 1), 0)
  let below = 0
  const bounds = QUEST_TYPES.map((_, rank) => {
    below += 1 / (rank + 1) / total
    return below
  })
  return [...bounds.slice(0, -1), 1]
})()

/** A quest type by its frequency. */
export function questType(random: SplitMix): string {
  const share = random.fraction()
  let rank = 0
  while (TYPE_BOUNDS[rank]! < share) rank++
  return QUEST_TYPES[rank]!
}

/** A version-less UUID. */
export function uuid(random: SplitMix): string {
  const parts: string[] = []
  for (let half = 0; half < 2; half++) {
    random.next()
    for (const part of [random.high, random.low]) parts.push((part >>> 0).toString(16).padStart(8, '0'))
  }
  return parts.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Aggregates of one quest type and minute. */
export interface Cell {
  readonly events: number
  readonly gold: number
  readonly slowestMs: number
  readonly fastestMs: number
}

/** Cells by quest type and start of the minute. */
export const cellId = (questType: string, start: number): string => `${questType} ${start}`

/**
 * The events of the roll-up benchmark, in order, each value 89 bytes on average: number for number those of the Java
 * generator with which Kafka Streams was measured, so that the figures can be compared. It keeps the answer as it goes.
 */
export class Workload {
  /** The event that `next` made. */
  userId = ''
  timestamp = 0
  private readonly random = new SplitMix(SEED)
  private readonly cells = new Map<string, { -readonly [F in keyof Cell]: Cell[F] }>()
  private index = 0
  private readonly value: AvroWriter

  /** `header` is what stands before every value: the id of its schema in wire format. */
  constructor(header: Buffer) {
    this.value = new AvroWriter(header)
  }

  /** What the job has to find of the events made so far. */
  get expected(): ReadonlyMap<string, Cell> {
    return this.cells
  }

  /** Makes the next event and answers its value in wire format (schema `schemas/quest-event.avsc`). */
  next(): Buffer {
    const { random, value } = this
    const index = this.index++
    value.begin()
    value.text(uuid(random))
    this.userId = `u${String(random.below(100_000)).padStart(7, '0')}`
    value.text(this.userId)
    value.text(`quest-${1_000 + random.below(5_000)}`)
    const type = questType(random)
    value.text(type)
    value.long(random.below(4))
    value.text(REGIONS[random.below(8)]!)
    const gold = random.below(500)
    const duration = 1 + random.below(600_000)
    this.timestamp = START + Math.trunc((index * SPAN) / EVENTS_A_SPAN) + random.below(10_001) - 5_000
    value.long(gold)
    value.long(duration)
    value.long(this.timestamp)
    this.count(type, gold, duration)
    return value.end()
  }

  private count(questType: string, gold: number, duration: number): void {
    const id = cellId(questType, this.timestamp - (this.timestamp % WINDOW))
    const cell = this.cells.get(id)
    if (cell === undefined) {
      this.cells.set(id, { events: 1, gold, slowestMs: duration, fastestMs: duration })
      return
    }
    cell.events++
    cell.gold += gold
    cell.slowestMs = Math.max(cell.slowestMs, duration)
    cell.fastestMs = Math.min(cell.fastestMs, duration)
  }
}
