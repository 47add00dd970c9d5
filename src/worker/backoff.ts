/** How long a process that ended unexpectedly is waited for before it is started again. All in ms. */
export interface BackoffOptions {
  /** After the first failure; it doubles with each further one. Default 1 second. */
  readonly firstMs?: number
  /** The longest wait. Default 60 seconds. */
  readonly mostMs?: number
  /** A process that ran for so long was healthy: what came before it counts no more. Default 5 minutes. */
  readonly healthyAfterMs?: number
}

/** Exponential backoff of one process. */
export class Backoff {
  private readonly firstMs: number
  private readonly mostMs: number
  private readonly healthyAfterMs: number
  private inARow = 0

  constructor({ firstMs = 1_000, mostMs = 60_000, healthyAfterMs = 300_000 }: BackoffOptions = {}) {
    this.firstMs = firstMs
    this.mostMs = mostMs
    this.healthyAfterMs = healthyAfterMs
  }

  /** Failures since the process was last healthy. */
  get failures(): number {
    return this.inARow
  }

  /** Counts a failure after `ranMs` of running; answers how long to wait, in ms. */
  failed(ranMs: number): number {
    this.inARow = ranMs >= this.healthyAfterMs ? 1 : this.inARow + 1
    return Math.min(this.mostMs, this.firstMs * 2 ** (this.inARow - 1))
  }
}
