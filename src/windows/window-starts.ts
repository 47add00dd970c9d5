import type { WindowSpec } from '../topology/node.js'

/**
 * Writes the starts (ms since 1970) of all windows that hold `timestamp` into `into`, ascending from index 0, and answers
 * how many they are. A window is `[start, start + size)`; none starts before 1970, so a negative timestamp is in none.
 *
 * Source: `org.apache.kafka.streams.kstream.TimeWindows#windowsFor`. `into` is not shortened, so that a call allocates nothing.
 */
export function windowStarts(window: WindowSpec, timestamp: number, into: number[]): number {
  if (timestamp < 0) return 0
  const { size, advance } = window
  if (size === Infinity) {
    into[0] = 0
    return 1
  }
  let count = 0
  for (let start = firstStart(timestamp, size, advance); start <= timestamp; start += advance) into[count++] = start
  return count
}

function firstStart(timestamp: number, size: number, advance: number): number {
  const earliest = Math.max(0, timestamp - size + advance)
  return earliest - (earliest % advance)
}

/** End of the window that starts at `start`, exclusive; Infinity for the global window. */
export function windowEnd(window: WindowSpec, start: number): number {
  return start + window.size
}

/** Stream time at which the window that starts at `start` closes: its end + grace; Infinity for the global window. */
export function closeTime(window: WindowSpec, start: number): number {
  return start + window.size + window.grace
}
