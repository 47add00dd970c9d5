import { MillraceError } from '../model/errors.js'
import type { StreamProcessOptions } from './stream-process-options.js'

/** Waits between two tries, in ms; each is twice as long as the one before. */
const RETRY_AT_LEAST = 250
const RETRY_AT_MOST = 5_000
/** Between two warnings, in ms. */
const WARN_EVERY = 30_000

/**
 * Does `work` again until the schema registry answers, and says so at first and every 30 seconds.
 * @throws what `work` throws for another reason, and for this one once `stop` aborted.
 */
export async function untilRegistryAnswers<T>(
  { clock, logger, stop }: Pick<StreamProcessOptions, 'clock' | 'logger' | 'stop'>,
  work: () => Promise<T>,
): Promise<T> {
  let warnedAt = Number.NEGATIVE_INFINITY
  for (let failures = 0; ; failures++) {
    try {
      return await work()
    } catch (thrown) {
      const passing = thrown instanceof MillraceError && thrown.code === 'REGISTRY' && !stop?.aborted
      if (!passing) throw thrown
      const now = clock.now()
      if (now - warnedAt >= WARN_EVERY) {
        warnedAt = now
        logger.warn(`${thrown.message} The start waits for it, and asks again and again.`)
      }
    }
    await clock.sleep(Math.min(RETRY_AT_MOST, RETRY_AT_LEAST * 2 ** failures))
  }
}
