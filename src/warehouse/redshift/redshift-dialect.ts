import type { SqlDialect } from '../sql/dialect.js'
import { sqlState } from '../sql/session.js'
import { redshiftLoad } from './redshift-load.js'
import { catalogName, quoteName } from './redshift-name.js'
import { prepareRedshift } from './redshift-table.js'
import { fromRedshiftText, redshiftTextExpression, toRedshiftText } from './redshift-type.js'
import { redshiftUnstorable, redshiftUnstorableKey } from './redshift-unstorable.js'
import type { LoadSettings } from './staged-rows.js'

/** Amazon Redshift, provisioned or serverless. */
export function redshiftDialect(settings: LoadSettings): SqlDialect {
  const dialect: SqlDialect = {
    begin: ['BEGIN'],
    conflictDelayMs: 250,
    isConflict: isRedshiftConflict,

    quote: quoteName,
    catalogName,
    toText: toRedshiftText,
    textExpression: redshiftTextExpression,
    fromText: fromRedshiftText,
    unstorable: redshiftUnstorable,
    unstorableKey: redshiftUnstorableKey,

    prepare: prepareRedshift,
    // Redshift locks tables, not rows. As the first statement it has the transaction's snapshot taken behind the lock, so that
    // writers of one schema never meet as serialization conflicts: https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html and
    // https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    async lockOffsets(session, at) {
      await session.query(`LOCK TABLE ${at.offsets}`)
    },
    lockRow: '',
    async insertOffset(session, at, sink) {
      const { rows } = await session.query(
        `SELECT 1 FROM ${at.offsets} WHERE sink = $1::text AND "partition" = ($2::text)::integer`,
        sink,
      )
      if (rows.length > 0) return
      await session.query(
        `INSERT INTO ${at.offsets} (sink, "partition", next_offset, owner, epoch)
         VALUES ($1::text, ($2::text)::integer, 0, '', 0)`,
        sink,
      )
    },
    load: request => redshiftLoad(dialect, request, settings),
  }
  return dialect
}

/**
 * A serializable isolation violation comes as an internal error with the number 1023.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
 */
function isRedshiftConflict(thrown: unknown): boolean {
  const state = sqlState(thrown)
  if (state === '40001' || state === '40P01') return true
  if (state !== 'XX000' || !(thrown instanceof Error)) return false
  const detail = 'detail' in thrown ? String(thrown.detail) : ''
  return /\b1023\b/.test(`${thrown.message} ${detail}`)
}
