import type { QuestEvent } from '../../schemas/quest-event.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { FROM, playerNumber } from './quest-events.js'

const DAY = 86_400_000
/** Bits of the players that a quest type saw on a day. */
const PLAYER_BYTES = 16_384

interface Seen {
  readonly bits: Uint8Array
  players: number
}

/** What the generator itself counts while it makes the events. */
export class Truth {
  /** Events by partition where the topic is keyed by user. */
  readonly byUser: number[]
  /** Events by partition where it is keyed by quest type and nothing is combined. */
  readonly byQuestType: number[]
  private readonly seen = new Map<string, Seen>()
  private readonly partitionOfType = new Map<string, number>()

  constructor(private readonly partitions: number) {
    this.byUser = new Array<number>(partitions).fill(0)
    this.byQuestType = new Array<number>(partitions).fill(0)
  }

  /** Counts an event; `partition` is that of its user. */
  add(event: QuestEvent, partition: number): void {
    const { questType, occurredAt } = event
    this.byUser[partition]!++
    let typed = this.partitionOfType.get(questType)
    if (typed === undefined) {
      typed = partitionFor(Buffer.from(questType), this.partitions)
      this.partitionOfType.set(questType, typed)
    }
    this.byQuestType[typed]!++
    const cell = `${questType} ${Math.floor((occurredAt - FROM) / DAY)}`
    let seen = this.seen.get(cell)
    if (seen === undefined) {
      seen = { bits: new Uint8Array(PLAYER_BYTES), players: 0 }
      this.seen.set(cell, seen)
    }
    const number = playerNumber(event.userId)
    const bit = 1 << (number & 7)
    if ((seen.bits[number >> 3]! & bit) !== 0) return
    seen.bits[number >> 3]! |= bit
    seen.players++
  }

  /** Exact number of different players by quest type and day (`hunt 2026-11-01`). */
  playersByTypeAndDay(): ReadonlyMap<string, number> {
    return new Map(
      [...this.seen].map(([cell, { players }]) => {
        const [type, day] = cell.split(' ')
        return [`${type} ${new Date(FROM + Number(day) * DAY).toISOString().slice(0, 10)}`, players]
      }),
    )
  }
}
