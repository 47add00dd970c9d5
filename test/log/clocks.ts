import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../src/ports/clock.js'

export const systemClock: Clock = { now: () => Date.now(), sleep: milliseconds => sleep(milliseconds) }

/** A clock that moves when it is told to; `sleep` resolves at once. */
export class ManualClock implements Clock {
  time = 1_700_000_000_000

  now(): number {
    return this.time
  }

  async sleep(): Promise<void> {}
}
