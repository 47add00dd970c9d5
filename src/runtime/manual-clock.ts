import type { Clock } from '../ports/clock.js'

/** A clock that moves only when it is told to, for tests. */
export class ManualClock implements Clock {
  constructor(private time: number) {}

  now(): number {
    return this.time
  }

  advance(milliseconds: number): void {
    this.time += milliseconds
  }

  /** Nobody moves this clock while somebody sleeps, so sleeping only lets others run. */
  async sleep(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
  }
}
