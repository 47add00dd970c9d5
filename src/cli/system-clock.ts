import type { Clock } from '../ports/clock.js'

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
}
