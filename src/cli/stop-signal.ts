import { uncaughtFailure } from './uncaught-failure.js'

/** Exit code of a process that the second signal ended, as shells count it for SIGINT. */
const INTERRUPTED = 130

/** How a long command learns that it has to end. */
export interface StopSignal {
  /** Aborts at the first SIGTERM or SIGINT; the second one ends the process at once. */
  readonly signal: AbortSignal
  /** Rejects with an error that nothing else handled; never resolves. */
  readonly failure: Promise<never>
  dispose(): void
}

/** @param told is called at the first signal with its name. */
export function stopSignal(told: (signal: NodeJS.Signals) => void): StopSignal {
  const stop = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED)
    stop.abort()
    told(signal)
  }
  const uncaught = uncaughtFailure()
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: stop.signal,
    failure: uncaught.failure,
    dispose() {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
      uncaught.dispose()
    },
  }
}
