import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlDatabase, SqlDialect } from './dialect.js'
import { isConnectionLoss, type SqlSession } from './session.js'

/** Attempts of a transaction that meets conflicts. */
const ATTEMPTS = 10

/** The connection was lost while COMMIT was under way: the transaction happened as a whole, or not at all. */
export class UnknownOutcome extends Error {
  constructor(cause: unknown) {
    super('the connection was lost at COMMIT', { cause })
  }
}

/**
 * Runs `work` in a transaction, again after a conflict such as a serialization failure or deadlock.
 * @throws UnknownOutcome when it cannot be known whether the transaction was committed; any other error means it was not.
 */
export async function transaction<T>(database: SqlDatabase, work: (session: SqlSession) => Promise<T>): Promise<T> {
  const { dialect } = database
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.session(session => attemptTransaction(session, dialect, work))
    } catch (thrown) {
      if (!dialect.isConflict(thrown) || attempt === ATTEMPTS) throw thrown
      await sleep(Math.random() * dialect.conflictDelayMs * attempt)
    }
  }
}

async function attemptTransaction<T>(
  session: SqlSession,
  dialect: SqlDialect,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  let result: T
  try {
    for (const statement of dialect.begin) await session.query(statement)
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
