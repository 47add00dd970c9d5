const AT_LEAST = 250
const AT_MOST = 30_000

/** When to try again what failed: after 250 ms, then twice as long each time, up to 30 seconds. */
export class RetryDelay {
  private failures = 0
  private until = 0

  /** Whether it is time to try. */
  over(now: number): boolean {
    return now >= this.until
  }

  /** Answers how long to wait, in ms. */
  failed(now: number): number {
    const delay = Math.min(AT_MOST, AT_LEAST * 2 ** this.failures++)
    this.until = now + delay
    return delay
  }

  succeeded(): void {
    this.failures = 0
  }
}
