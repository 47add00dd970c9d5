import { RedshiftError, syntaxError } from '../redshift-error.js'
import { Statement } from '../statement.js'

/** A MERGE in PostgreSQL's words. */
export interface Merge {
  readonly statement: Statement
  /** Finds a row of the target that several rows of the source match. */
  readonly duplicates: Statement | undefined
}

/**
 * MERGE INTO target USING source [[AS] alias] ON condition, then either one WHEN MATCHED and one WHEN NOT MATCHED without
 * further conditions, or REMOVE DUPLICATES. The source is a table. Rows of the source that match the same row of the
 * target are an error; REMOVE DUPLICATES replaces matching rows and keeps one of equal rows of the source.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
 */
export function merge(statement: Statement): Merge | undefined {
  if (!statement.has(0, 'merge', 'into')) return undefined
  const using = statement.behindName(2)
  const source = using + 1
  if (statement.value(source) === '(') throw syntaxError(statement.tokens[source])
  const behind = statement.behindName(source)
  const on = statement.find('on')
  if (on < behind) throw syntaxError(statement.tokens[behind])
  const target = statement.text(2, using)
  const from = statement.text(source, on)
  const duplicates = statement.find('remove', 'duplicates')
  if (duplicates > 0) {
    if (duplicates + 2 < statement.tokens.length) throw syntaxError(statement.tokens[duplicates + 2])
    const condition = statement.text(on + 1, duplicates)
    const replace = `WITH replaced AS (DELETE FROM ${target} USING ${from} WHERE ${condition})
      INSERT INTO ${target} SELECT DISTINCT * FROM ${statement.text(source, behind)}`
    return { statement: new Statement(replace), duplicates: undefined }
  }
  assertClauses(statement, on)
  const condition = statement.text(on + 1, statement.find('when'))
  const several = `SELECT 1 FROM ${target} JOIN ${from} ON ${condition}
    GROUP BY ${target}.tableoid, ${target}.ctid HAVING count(*) > 1 LIMIT 1`
  return { statement, duplicates: new Statement(several) }
}

function assertClauses(statement: Statement, on: number): void {
  const whens: number[] = []
  statement.tokens.forEach((_, index) => {
    const isClause = statement.has(index, 'when', 'matched') || statement.has(index, 'when', 'not', 'matched')
    if (index > on && isClause) whens.push(index)
  })
  for (const at of whens) {
    const then = statement.value(at + 1) === 'not' ? at + 3 : at + 2
    if (statement.value(then) !== 'then') throw syntaxError(statement.tokens[then])
  }
  const [matched, notMatched, third] = whens
  if (third !== undefined) throw syntaxError(statement.tokens[third])
  if (matched === undefined || !statement.has(matched, 'when', 'matched')) throw syntaxError(statement.tokens.at(-1))
  if (notMatched === undefined || !statement.has(notMatched, 'when', 'not', 'matched')) {
    throw syntaxError(notMatched === undefined ? undefined : statement.tokens[notMatched])
  }
  const update = statement.find('do', 'nothing')
  if (update > 0) throw syntaxError(statement.tokens[update])
}

export function duplicateMatches(): RedshiftError {
  return new RedshiftError('XX000', 'Found multiple matches to update the same tuple.')
}
