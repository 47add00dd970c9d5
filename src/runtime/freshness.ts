import type { RecordBatch } from '../model/record-batch.js'

/** Header of a record in a rows topic: the highest event time in the row, in ms since 1970. Its timestamp is when it was sent. */
export const EVENT_TIME_HEADER = 'millrace-event-time'

/** Highest event time among the rows of a batch of a rows topic; of rows without it, when they were sent. Ms since 1970. */
export function newestEventTime(batch: RecordBatch): number {
  let newest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < batch.count; i++) {
    const [, text] = batch.headers(i).find(([name]) => name === EVENT_TIME_HEADER) ?? []
    newest = Math.max(newest, text === undefined ? (batch.timestamps[i] as number) : Number(text))
  }
  return newest
}

/**
 * How far a sink partition's part of a table lies behind the events: the age of the oldest change that it does not show
 * yet, and, while it shows all of them, what that age was when the last flush ended.
 *
 * A change is as old as the newest event of the batch that it arrived in, so that the correction of an old window does
 * not make the table look as old as that window.
 */
export class Freshness {
  /** Event time of what arrived first among the rows that wait. */
  private waiting: number | undefined
  /** The same for the rows of the flush that runs. */
  private flying: number | undefined
  private atLastFlush: number | undefined

  /** Nothing waits, so that the next batch of rows decides how old what waits is. */
  get idle(): boolean {
    return this.waiting === undefined
  }

  /** Rows wait from now on. */
  arrived(eventTime: number): void {
    this.waiting ??= eventTime
  }

  /** A flush began with all that waits. */
  taken(): void {
    this.flying = this.waiting
    this.waiting = undefined
  }

  /** The flush failed: what it carried waits again. */
  failed(): void {
    this.waiting = this.flying ?? this.waiting
    this.flying = undefined
  }

  /** The flush went through at `now`. */
  flushed(now: number): void {
    if (this.flying !== undefined) this.atLastFlush = now - this.flying
    this.flying = undefined
  }

  /** Ms, at least 0; undefined before the first row arrived. */
  at(now: number): number | undefined {
    const oldest = this.flying ?? this.waiting
    const age = oldest === undefined ? this.atLastFlush : now - oldest
    return age === undefined ? undefined : Math.max(0, age)
  }
}
