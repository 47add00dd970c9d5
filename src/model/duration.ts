import { MillraceError } from './errors.js'

type Unit = 'second' | 'minute' | 'hour' | 'day'

/** A length of time as text: `'200ms'`, `'30 seconds'`, `'1 minute'`, `'2 hours'`, `'7 days'`. */
export type Duration = `${number}ms` | `${number} ${Unit}` | `${number} ${Unit}s`

const MILLISECONDS: Record<string, number> = { ms: 1, second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/**
 * Milliseconds of a duration.
 * @throws MillraceError INVALID_DURATION when the text is not a duration or is not a whole number of milliseconds.
 */
export function parseDuration(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|second|minute|hour|day)s?\s*$/.exec(text)
  const unit = match && MILLISECONDS[match[2] as string]
  const milliseconds = match && unit ? Number(match[1]) * unit : Number.NaN
  if (!Number.isSafeInteger(milliseconds)) {
    throw new MillraceError(
      'INVALID_DURATION',
      `"${text}" is not a duration. Write a number and a unit: '200ms', '30 seconds', '1 minute', '2 hours' or '7 days'.`,
    )
  }
  return milliseconds
}

/** Text of a length of time, in its largest whole unit: 90000 gives `'90 seconds'`. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['day', 'hour', 'minute', 'second'] as const) {
    const size = MILLISECONDS[unit] as number
    if (milliseconds >= size && milliseconds % size === 0) {
      const count = milliseconds / size
      return `${count} ${unit}${count === 1 ? '' : 's'}`
    }
  }
  return `${milliseconds}ms`
}
