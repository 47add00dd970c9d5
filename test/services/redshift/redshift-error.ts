import type { Token } from './statement.js'
import { errorResponse, type WireMessage } from './wire.js'

/** What the shim refuses, as Redshift says it. */
export class RedshiftError extends Error {
  constructor(
    /** SQLSTATE. */
    readonly code: string,
    message: string,
    readonly detail?: string,
    readonly severity: 'ERROR' | 'FATAL' = 'ERROR',
  ) {
    super(message)
  }

  response(): WireMessage {
    const fields = new Map([
      ['S', this.severity],
      ['V', this.severity],
      ['C', this.code],
      ['M', this.message],
    ])
    if (this.detail !== undefined) fields.set('D', this.detail)
    return errorResponse(fields)
  }
}

export function syntaxError(at: Token | undefined): RedshiftError {
  return new RedshiftError('42601', at ? `syntax error at or near "${at.text}"` : 'syntax error at end of input')
}

/** A command or clause that Redshift parses and does not have. */
export function unsupported(what: string): RedshiftError {
  return new RedshiftError('0A000', `${what} is not supported`)
}

/** Redshift has it, and the shim has not: the test needs something else. */
export function beyondShim(what: string): RedshiftError {
  return new RedshiftError('0A000', `the Redshift shim of the tests does not have ${what}`)
}

/** https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html */
export function serializableViolation(): RedshiftError {
  return new RedshiftError(
    'XX000',
    '1023',
    'Serializable isolation violation on table - 100167, transactions forming the cycle are: 5013, 5014 (pid:4711)',
  )
}
