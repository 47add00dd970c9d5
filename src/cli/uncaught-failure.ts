import { messageOf } from '../model/errors.js'

/** Errors of this process that nothing else handled. */
export interface UncaughtFailure {
  /** Rejects with the first one; never resolves. */
  readonly failure: Promise<never>
  dispose(): void
}

export function uncaughtFailure(): UncaughtFailure {
  let fail: (thrown: unknown) => void = () => undefined
  const failure = new Promise<never>((_, reject) => {
    fail = reject
  })
  failure.catch(() => undefined)
  const onFailure = (thrown: unknown): void =>
    fail(thrown instanceof Error ? thrown : new Error(`Something was thrown that is no error: ${messageOf(thrown)}`))
  process.on('unhandledRejection', onFailure).on('uncaughtException', onFailure)
  return {
    failure,
    dispose() {
      process.off('unhandledRejection', onFailure).off('uncaughtException', onFailure)
    },
  }
}
