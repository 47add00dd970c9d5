import { syntaxError, unsupported } from '../redshift-error.js'
import type { Edit, Statement } from '../statement.js'
import { assertName } from './reserved-words.js'
import { typeEdits } from './types.js'

/**
 * CREATE TABLE with Redshift's attributes, which PostgreSQL is not told. Keys are accepted and not enforced; the
 * catalog's trigger drops them again.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html, r_CREATE_TABLE_AS.html, t_Defining_constraints.html
 */
export function createTable(statement: Statement): Statement {
  const table = tableAt(statement)
  if (table === undefined) return statement
  const edits: Edit[] = []
  let at = statement.behindName(table)
  if (statement.value(at) === '(' && !statement.has(at, '(', 'select')) {
    const close = statement.closing(at)
    for (const [from, to] of items(statement, at + 1, close)) edits.push(...definitionEdits(statement, from, to))
    at = close + 1
  }
  while (at < statement.tokens.length && statement.value(at) !== 'as') {
    const end = behindAttribute(statement, at)
    edits.push(statement.replacing(at, end))
    at = end
  }
  return statement.edited(edits)
}

/** The place of the table's name in a CREATE TABLE. */
function tableAt(statement: Statement): number | undefined {
  if (statement.command !== 'create') return undefined
  let at = 1
  if (statement.value(at) === 'local') at++
  if (statement.value(at) === 'temp' || statement.value(at) === 'temporary') at++
  if (statement.value(at++) !== 'table') return undefined
  return statement.has(at, 'if', 'not', 'exists') ? at + 3 : at
}

/** Parts of a list between commas, from one place to before another. */
function* items(statement: Statement, from: number, end: number): Iterable<readonly [number, number]> {
  let start = from
  for (let at = from; at <= end; at++) {
    if (at < end && statement.value(at) === '(') at = statement.closing(at)
    else if (at === end || statement.value(at) === ',') {
      yield [start, at]
      start = at + 1
    }
  }
}

/** A column, a constraint of the table, or LIKE. */
function definitionEdits(statement: Statement, from: number, to: number): Edit[] {
  const first = statement.value(from) ?? ''
  if (first === 'check' || first === 'exclude') throw unsupported('CHECK constraints')
  if (['primary', 'unique', 'foreign', 'constraint', 'like'].includes(first)) return []
  return columnEdits(statement, from, to)
}

/** A column: its name, type and attributes. */
export function columnEdits(statement: Statement, from: number, to: number): Edit[] {
  const name = statement.tokens[from]
  assertName(name)
  const edits = typeEdits(statement, from + 1, name?.value ?? '')
  for (let at = from + 2; at < to; at++) {
    switch (statement.value(at)) {
      case 'encode':
        edits.push(statement.replacing(at, at + 2))
        break
      case 'distkey':
      case 'sortkey':
        edits.push(statement.replacing(at, at + 1))
        break
      case 'check':
        throw unsupported('CHECK constraints')
      case 'generated':
        if (!statement.has(at, 'generated', 'by', 'default', 'as', 'identity')) throw syntaxError(statement.tokens[at])
    }
  }
  return edits
}

/** Behind an attribute of the table that begins at `at`. */
function behindAttribute(statement: Statement, at: number): number {
  const bracket = (open: number) => (statement.value(open) === '(' ? statement.closing(open) + 1 : open)
  switch (statement.value(at)) {
    case 'diststyle':
    case 'encode':
    case 'backup':
      return at + 2
    case 'compound':
    case 'interleaved':
      if (statement.value(at + 1) === 'sortkey') return bracket(at + 2)
      break
    case 'sortkey':
      return statement.value(at + 1) === 'auto' ? at + 2 : bracket(at + 1)
    case 'distkey':
      return bracket(at + 1)
  }
  throw syntaxError(statement.tokens[at])
}
