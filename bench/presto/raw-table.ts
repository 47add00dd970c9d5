import { once } from 'node:events'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { QuestEvent } from '../../schemas/quest-event.js'

/**
 * Whole numbers are `bigint`, which Trino sums up inside PostgreSQL; it would fetch each row to sum up an `integer`.
 */
const CREATE = `CREATE TABLE quest_events (
  event_id uuid NOT NULL,
  user_id text NOT NULL,
  quest_id text NOT NULL,
  quest_type text NOT NULL,
  event_type text NOT NULL,
  region text NOT NULL,
  reward_gold bigint NOT NULL,
  duration_ms bigint NOT NULL,
  occurred_at timestamptz NOT NULL
)`
/** What the questions filter by: time, and a user's events by time. Indexes are made after the load, which is faster. */
const LAY_OUT = [
  'CREATE INDEX ON quest_events (occurred_at)',
  'CREATE INDEX ON quest_events (user_id, occurred_at)',
  'VACUUM (FREEZE, ANALYZE) quest_events',
]
const CHUNK = 1 << 18

/** The table of raw events, filled by COPY in the order in which they come. */
export class RawTable {
  private text = ''
  /** `2026-11-01T13:05` of the event before, and what it stands for: most events fall into the same minute. */
  private minute = Number.NaN
  private minuteText = ''

  private constructor(
    private readonly client: pg.Client,
    private readonly copy: ReturnType<typeof copyFrom>,
  ) {}

  static async create(url: string): Promise<RawTable> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(CREATE)
    return new RawTable(client, client.query(copyFrom('COPY quest_events FROM STDIN')))
  }

  /** Adds an event. True: call `drained` before the next one. */
  add(event: QuestEvent): boolean {
    const { eventId, userId, questId, questType, eventType, region, rewardGold, durationMs, occurredAt } = event
    this.text +=
      `${eventId}\t${userId}\t${questId}\t${questType}\t${eventType}\t${region}\t${rewardGold}\t${durationMs}\t` +
      `${this.timestamp(occurredAt)}\n`
    return this.text.length >= CHUNK
  }

  async drained(): Promise<void> {
    const { text } = this
    this.text = ''
    if (!this.copy.write(text)) await once(this.copy, 'drain')
  }

  /** Ends the load, indexes and analyses. */
  async finish(): Promise<void> {
    await this.drained()
    const finished = once(this.copy, 'finish')
    this.copy.end()
    await finished
    for (const statement of LAY_OUT) await this.client.query(statement)
  }

  close(): Promise<void> {
    return this.client.end()
  }

  private timestamp(at: number): string {
    const minute = Math.floor(at / 60_000)
    if (minute !== this.minute) {
      this.minute = minute
      this.minuteText = new Date(at).toISOString().slice(0, 17)
    }
    return `${this.minuteText}${((at % 60_000) / 1_000).toFixed(3)}Z`
  }
}
