import type { Duration } from '../model/duration.js'
import { MillraceError } from '../model/errors.js'
import type { WindowSpec } from '../topology/node.js'
import { graceOf, positive, type WindowOptions } from './grace.js'

/** Options of {@link hopping}. */
export interface HoppingOptions extends WindowOptions {
  /** Distance from one window's start to the next one's: above zero, at most the size. */
  readonly advance: Duration
}

/**
 * Windows of one size of which a new one starts every `advance`, so that they overlap; aligned to 1970-01-01T00:00Z.
 * A record is in `size / advance` of them.
 *
 * @param size for example `'1 hour'`.
 * @param options `advance`, for example `'5 minutes'`; `grace`: how long after its end a window still takes late records,
 * default `'0ms'`.
 * @throws MillraceError INVALID_DURATION or INVALID_OPTION when one of them is not a length of time, size or advance is
 * zero, or advance is longer than size.
 */
export function hopping(size: Duration, options: HoppingOptions): WindowSpec {
  const milliseconds = positive('The size of a hopping window', size)
  const advance = positive('The advance of a hopping window', options.advance)
  if (advance > milliseconds) {
    throw new MillraceError(
      'INVALID_OPTION',
      `A hopping window of '${size}' cannot advance by '${options.advance}': records between two windows would be in none. ` +
        `Advance by at most '${size}'.`,
    )
  }
  return Object.freeze({ type: 'hopping', size: milliseconds, advance, grace: graceOf(options) })
}
