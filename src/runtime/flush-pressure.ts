/** Time over which the load of a session is measured, in ms. */
const WINDOW = 10_000
/** Shares of a window in which the session is at work, above which intervals grow and below which they shrink again. */
const BUSY = 0.8
const EASY = 0.5
/** Intervals grow to so many times what is wanted at the most. */
const AT_MOST = 8

/**
 * How many times longer than wanted the flush intervals of a session's tables are: they double with every ten seconds in
 * which the session is at work for most of the time or a flush failed, up to eight times, and halve with every easy one.
 * Fewer and larger flushes are less work for the warehouse, since most of a small flush is its transaction.
 */
export class FlushPressure {
  private stretched = 1
  private busyMs = 0
  private workingSince: number | undefined
  private failures = 0

  constructor(private windowStart: number) {}

  /** At least 1. */
  factor(now: number): number {
    this.look(now)
    return this.stretched
  }

  began(now: number): void {
    this.look(now)
    this.workingSince = now
  }

  ended(now: number): void {
    this.note(now)
    this.workingSince = undefined
    this.look(now)
  }

  /** A flush failed. */
  failed(): void {
    this.failures++
  }

  private note(now: number): void {
    if (this.workingSince === undefined) return
    this.busyMs += now - this.workingSince
    this.workingSince = now
  }

  /** Ends the window when its time is over. */
  private look(now: number): void {
    const length = now - this.windowStart
    if (length < WINDOW) return
    this.note(now)
    const share = this.busyMs / length
    if (share > BUSY || this.failures > 0) this.stretched = Math.min(AT_MOST, this.stretched * 2)
    else if (share < EASY) this.stretched = Math.max(1, this.stretched / 2 ** Math.floor(length / WINDOW))
    this.windowStart = now
    this.busyMs = 0
    this.failures = 0
  }
}
