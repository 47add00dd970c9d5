import { syntaxError, unsupported } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/**
 * Clauses that the syntax of Redshift's commands does not have:
 * https://docs.aws.amazon.com/redshift/latest/dg/r_INSERT_30.html, r_UPDATE.html, r_DELETE.html, r_SELECT_synopsis.html
 */
const NO_SYNTAX = [
  ['on', 'conflict'],
  ['returning'],
  ['on', 'commit'],
  ['nulls', 'not', 'distinct'],
  ['is', 'not', 'distinct', 'from'],
  ['is', 'distinct', 'from'],
  ['with', 'ordinality'],
  ['tablesample'],
  ['default', 'values'],
]

const NOT_SUPPORTED = [['for', 'update'], ['for', 'share'], ['for', 'no', 'key', 'update'], ['lateral']]

/** Refuses clauses of PostgreSQL that Redshift does not have. */
export function refuseClauses(statement: Statement): Statement {
  for (const words of NO_SYNTAX) {
    const at = statement.find(...words)
    if (at >= 0) throw syntaxError(statement.tokens[at])
  }
  for (const words of NOT_SUPPORTED) {
    if (statement.find(...words) >= 0) throw unsupported(words.join(' ').toUpperCase())
  }
  refuseTargetAlias(statement)
  refuseChangingWith(statement)
  return statement
}

/** The target of DELETE and of MERGE has no alias: r_DELETE.html, r_MERGE.html. */
function refuseTargetAlias(statement: Statement): void {
  if (statement.command !== 'delete' && statement.command !== 'merge') return
  const behind = statement.behindName(statement.has(1, 'from') || statement.has(1, 'into') ? 2 : 1)
  const next = statement.value(behind)
  const isDelete = statement.command === 'delete'
  const fits = next === 'using' || (isDelete && (next === 'where' || behind === statement.tokens.length))
  if (!fits) throw syntaxError(statement.tokens[behind])
}

/** WITH holds queries only: https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html */
function refuseChangingWith(statement: Statement): void {
  if (statement.command !== 'with') return
  for (const command of ['insert', 'update', 'delete', 'merge']) {
    const at = statement.find('(', command)
    if (at >= 0) throw syntaxError(statement.tokens[at + 1])
  }
}
