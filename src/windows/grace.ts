import { type Duration, parseDuration } from '../model/duration.js'
import { MillraceError } from '../model/errors.js'

/** Options that every window has. */
export interface WindowOptions {
  /** How long after a window's end its late records are still taken. Default `'0ms'`, as Kafka Streams' `ofSizeWithNoGrace`. */
  readonly grace?: Duration
}

/** Milliseconds of a window's grace; 0 where none is given. */
export function graceOf(options: WindowOptions | undefined): number {
  return options?.grace === undefined ? 0 : parseDuration(options.grace)
}

/**
 * Milliseconds of a window's size or advance.
 * @throws MillraceError INVALID_OPTION when it is zero.
 */
export function positive(what: string, duration: Duration): number {
  const milliseconds = parseDuration(duration)
  if (milliseconds === 0) {
    throw new MillraceError(
      'INVALID_OPTION',
      `${what} is '${duration}', but must be longer than zero. Write for example '1 minute'.`,
    )
  }
  return milliseconds
}
