import { RedshiftError, syntaxError, unsupported } from '../redshift-error.js'
import { Statement } from '../statement.js'
import { columnEdits } from './create-table.js'

const NOTHING = new Statement('SELECT 1 WHERE false')

/**
 * ALTER TABLE: one column in a statement; of a column's type only the length of a VARCHAR changes, outside of a
 * transaction. https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
 */
export function alterTable(statement: Statement, inTransaction: boolean): Statement {
  if (!statement.has(0, 'alter', 'table')) return statement
  if (statement.has(2, 'if', 'exists') || statement.has(2, 'only')) throw syntaxError(statement.tokens[2])
  const action = statement.behindName(2)
  const comma = commaAt(statement, action)
  if (comma > 0) throw syntaxError(statement.tokens[comma])
  // Where rows are and in which order means nothing to PostgreSQL.
  if (/^(diststyle|distkey|sortkey|compound)$/.test(statement.value(action + 1) ?? '')) return NOTHING
  if (statement.value(action) === 'add') return addColumn(statement, action)
  if (statement.value(action) === 'alter') assertLength(statement, action, inTransaction)
  return statement
}

function addColumn(statement: Statement, action: number): Statement {
  const first = statement.value(action + 1)
  if (first === 'constraint' || first === 'primary' || first === 'unique' || first === 'foreign') return statement
  const column = first === 'column' ? action + 2 : action + 1
  if (statement.has(column, 'if')) throw syntaxError(statement.tokens[column])
  return statement.edited(columnEdits(statement, column, statement.tokens.length))
}

function assertLength(statement: Statement, action: number, inTransaction: boolean): void {
  const column = statement.value(action + 1) === 'column' ? action + 2 : action + 1
  const type = column + 1
  if (!statement.has(type, 'type')) throw unsupported('ALTER COLUMN but for TYPE and ENCODE')
  if (inTransaction) {
    throw new RedshiftError('25001', 'ALTER TABLE ALTER COLUMN cannot run inside a transaction block')
  }
  const name = statement.value(type + 1)
  if (name !== 'varchar' && name !== 'character') {
    throw new RedshiftError('0A000', 'ALTER COLUMN TYPE is only supported for VARCHAR columns')
  }
}

function commaAt(statement: Statement, from: number): number {
  for (let at = from; at < statement.tokens.length; at++) {
    if (statement.value(at) === '(') at = statement.closing(at)
    else if (statement.value(at) === ',') return at
  }
  return -1
}
