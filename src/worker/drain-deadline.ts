import { MillraceError } from '../model/errors.js'

/**
 * A promise that rejects `timeoutMs` after `draining` aborted.
 * @param left who has not left by then, for the message
 */
export function drainDeadline(
  draining: AbortSignal,
  timeoutMs: number,
  left: () => string,
): { readonly passed: Promise<never>; dispose(): void } {
  let timer: NodeJS.Timeout | undefined
  let start: () => void = () => undefined
  const passed = new Promise<never>((_, reject) => {
    start = () => {
      timer = setTimeout(() => reject(notDrained(timeoutMs, left())), timeoutMs)
    }
    if (draining.aborted) start()
    else draining.addEventListener('abort', start)
  })
  passed.catch(() => undefined)
  return {
    passed,
    dispose() {
      clearTimeout(timer)
      draining.removeEventListener('abort', start)
    },
  }
}

function notDrained(timeoutMs: number, left: string): MillraceError {
  return new MillraceError(
    'DRAIN_TIMEOUT',
    `Not everything was committed and closed within ${timeoutMs / 1_000} s: ${left} was ended at once. What was not committed is done again by the next owner; nothing is lost. Raise --drain-timeout if this comes often.`,
  )
}
