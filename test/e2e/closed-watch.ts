import { setTimeout as sleep } from 'node:timers/promises'
import type { QuestDatabase } from './quest-database.js'

/** Looks at a split table again and again: a closed row must stay as it is for ever, and no row may be in both parts. */
export class ClosedWatch {
  /** Looks that found closed rows. */
  looks = 0
  /** Looks that found both open and closed rows. */
  mixed = 0
  readonly faults: string[] = []
  /** Text of each closed row when it was seen first. */
  readonly rows = new Map<string, string>()
  private stopped = false
  private readonly running: Promise<void>

  constructor(private readonly database: QuestDatabase) {
    this.running = this.run()
    // It is awaited in `stop`, which a failed test does not reach.
    this.running.catch(() => undefined)
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const [exists] = await this.database.query(`SELECT to_regclass('quest_minute')::text AS name`)
      if (exists?.name) await this.look()
      await sleep(100)
    }
  }

  /** One statement, so that all of it is of one moment. */
  private async look(): Promise<void> {
    const found = await this.database.query(
      `SELECT 'open' AS part, quest_type || ' ' || window_start AS key, '' AS text FROM quest_minute_open
       UNION ALL SELECT 'closed', quest_type || ' ' || window_start, t::text FROM quest_minute_closed t`,
    )
    const closed = new Map(found.filter(({ part }) => part === 'closed').map(({ key, text }) => [key, text]))
    const open = found.filter(({ part }) => part === 'open').map(({ key }) => key)
    if (closed.size > 0) this.looks++
    if (closed.size > 0 && open.length > 0) this.mixed++
    for (const key of open) if (closed.has(key)) this.fault(`${key} is open and closed`)
    if (closed.size + open.length !== found.length) this.fault('a closed row is there twice')
    for (const [key, text] of this.rows) {
      if (closed.get(key) !== text) this.fault(`${text} was closed, and is now ${closed.get(key)}`)
    }
    for (const [key, text] of closed) if (!this.rows.has(key as string)) this.rows.set(key as string, text as string)
  }

  private fault(text: string): void {
    if (this.faults.length < 5) this.faults.push(text)
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.running
    await this.look()
  }
}
