import { syntaxError } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/**
 * All levels of isolation that BEGIN names are the database's: the shim's is PostgreSQL's serializable.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html
 */
export function beginTransaction(statement: Statement): Statement {
  if (statement.command !== 'begin' && statement.command !== 'start') return statement
  const at = statement.find('isolation', 'level')
  if (at < 0) return statement
  const end = at + 2 + (statement.value(at + 2) === 'serializable' ? 1 : 2)
  return statement.edited([statement.replacing(at, Math.min(end, statement.tokens.length))])
}

/** LOCK is always exclusive, and has no mode: https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html */
export function lockTable(statement: Statement): Statement {
  if (statement.command !== 'lock') return statement
  for (const word of ['in', 'nowait', 'only']) {
    const at = statement.find(word)
    if (at > 0) throw syntaxError(statement.tokens[at])
  }
  return statement
}
