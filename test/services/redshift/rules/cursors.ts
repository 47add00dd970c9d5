import { RedshiftError, syntaxError } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/**
 * DECLARE name CURSOR FOR query, in a transaction, one cursor at a time in a session; FETCH NEXT, ALL, FORWARD count or
 * FORWARD ALL. https://docs.aws.amazon.com/redshift/latest/dg/declare.html, fetch.html
 */
export class Cursors {
  private open: string | undefined

  /** Cursors end with their transaction. */
  transactionEnded(): void {
    this.open = undefined
  }

  check(statement: Statement): Statement {
    switch (statement.command) {
      case 'declare':
        return this.declare(statement)
      case 'close':
        this.open = undefined
        return statement
      case 'fetch':
        return fetchRows(statement)
      default:
        return statement
    }
  }

  private declare(statement: Statement): Statement {
    if (!statement.has(2, 'cursor', 'for')) throw syntaxError(statement.tokens[2])
    if (this.open !== undefined) {
      throw new RedshiftError(
        '0A000',
        `cursor "${this.open}" is open; only one cursor at a time can be open in a session`,
      )
    }
    this.open = statement.tokens[1]?.value
    return statement
  }
}

function fetchRows(statement: Statement): Statement {
  const allowed =
    statement.has(1, 'next') || statement.has(1, 'all') || statement.has(1, 'forward') || statement.has(1, 'from')
  if (!allowed) throw syntaxError(statement.tokens[1])
  return statement
}
