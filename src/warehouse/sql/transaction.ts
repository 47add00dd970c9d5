import { setTimeout as sleep } from 'node:timers/promises'
import { isConflict, isConnectionLoss, type SqlDatabase, type SqlSession } from './database.js'

/** Attempts of a transaction that meets conflicts, with up to `ATTEMPT_DELAY_MS` times the attempt's number between them. */
const ATTEMPTS = 10
const ATTEMPT_DELAY_MS = 20

/**
 * The server ends a transaction that idles so long, which frees the locks of a writer whose host vanished or sleeps. Who
 * waits for a lock waits a little longer than that, and then reports instead of hanging.
 */
const IDLE_TIMEOUT_MS = 20_000
const LOCK_TIMEOUT_MS = 30_000

const SET_TIMEOUTS = `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true),
  set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT_MS}', true)`

/** The connection was lost while COMMIT was under way: the transaction happened as a whole, or not at all. */
export class UnknownOutcome extends Error {
  constructor(cause: unknown) {
    super('the connection was lost at COMMIT', { cause })
  }
}

/**
 * Runs `work` in a READ COMMITTED transaction, again after a serialization failure or deadlock.
 * @throws UnknownOutcome when it cannot be known whether the transaction was committed; any other error means it was not.
 */
export async function transaction<T>(database: SqlDatabase, work: (session: SqlSession) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.session(session => attemptTransaction(session, work))
    } catch (thrown) {
      if (!isConflict(thrown) || attempt === ATTEMPTS) throw thrown
      await sleep(Math.random() * ATTEMPT_DELAY_MS * attempt)
    }
  }
}

async function attemptTransaction<T>(session: SqlSession, work: (session: SqlSession) => Promise<T>): Promise<T> {
  await session.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  let result: T
  try {
    await session.query(SET_TIMEOUTS)
    result = await work(session)
  } catch (thrown) {
    await session.query('ROLLBACK').catch(() => undefined)
    throw thrown
  }
  try {
    await session.query('COMMIT')
  } catch (thrown) {
    throw isConnectionLoss(thrown) ? new UnknownOutcome(thrown) : thrown
  }
  return result
}
