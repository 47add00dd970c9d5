import type { Duration } from '../model/duration.js'
import type { WindowSpec } from '../topology/node.js'
import { graceOf, positive, type WindowOptions } from './grace.js'

/**
 * Windows of one size that follow each other without gap or overlap, aligned to 1970-01-01T00:00Z: `[start, start + size)`.
 *
 * @param size for example `'1 minute'`.
 * @param options `grace`: how long after its end a window still takes late records; default `'0ms'`.
 * @throws MillraceError INVALID_DURATION or INVALID_OPTION when size or grace is not a length of time, or size is zero.
 */
export function tumbling(size: Duration, options?: WindowOptions): WindowSpec {
  const milliseconds = positive('The size of a tumbling window', size)
  return Object.freeze({ type: 'tumbling', size: milliseconds, advance: milliseconds, grace: graceOf(options) })
}
