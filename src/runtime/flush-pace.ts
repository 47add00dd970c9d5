/** Shares of the wanted freshness: the shortest and the longest time that rows wait, and what is left for their way here. */
const SHORTEST = 0.1
const LONGEST = 0.5
const UPSTREAM = 0.25

/**
 * When a sink flushes so that rows are visible within the freshness that its topology promises: as late as that allows,
 * since each flush is a transaction, but early enough for the flushes as they were measured.
 */
export class FlushPace {
  /** How long a flush takes: rises with the slowest one at once, and falls slowly. Ms. */
  private took = 0

  constructor(
    /** From an event to the row that stands for it, in ms, without what windows wait for. */
    readonly freshness: number,
  ) {}

  /** Notes how long a flush took, in ms. */
  flushed(milliseconds: number): void {
    this.took = Math.max(milliseconds, 0.8 * this.took + 0.2 * milliseconds)
  }

  /** Time in ms for which a row waits for its flush, under a pressure that makes it longer. */
  interval(pressure: number): number {
    const { freshness, took } = this
    const left = freshness * (1 - UPSTREAM) - 2 * took
    return Math.max(SHORTEST * freshness, Math.min(LONGEST * freshness, left)) * pressure
  }
}
