import { RedshiftError } from '../redshift-error.js'
import type { Statement } from '../statement.js'
import { alterTable } from './alter-table.js'
import { refuseClauses } from './clauses.js'
import { refuseCommands } from './commands.js'
import { createTable } from './create-table.js'
import { refuseFunctions } from './functions.js'
import { foldIdentifiers } from './identifiers.js'
import { settings } from './settings.js'
import { beginTransaction, lockTable } from './transactions.js'
import { castTypes } from './types.js'

/** The longest statement: https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html */
const MAX_STATEMENT_BYTES = 16 * 1024 * 1024

/** @throws RedshiftError for a text of SQL over 16 MB. */
export function assertSize(sql: string): void {
  const bytes = Buffer.byteLength(sql)
  if (bytes <= MAX_STATEMENT_BYTES) return
  throw new RedshiftError(
    '54000',
    `Statement is too large. Statement Size: ${bytes} bytes. Maximum Allowed: ${MAX_STATEMENT_BYTES} bytes`,
  )
}

/**
 * A statement as PostgreSQL is to run it.
 * @throws RedshiftError for what Redshift refuses.
 */
export function translate(statement: Statement, inTransaction: boolean): Statement {
  refuseCommands(statement)
  refuseClauses(statement)
  refuseFunctions(statement)
  const folded = foldIdentifiers(settings(lockTable(beginTransaction(statement))))
  if (folded.command === 'copy') return folded
  return castTypes(alterTable(createTable(folded), inTransaction))
}
