import type { Warehouse } from '../../ports/warehouse.js'
import { PgDatabase, PgSession } from '../sql/pg-database.js'
import { sqlWarehouse } from '../sql/sql-warehouse.js'
import { redshiftAddress } from './redshift-connection.js'
import { redshiftDialect } from './redshift-dialect.js'
import type { RedshiftOptions } from './redshift-options.js'

const DEFAULTS = { maxSessions: 1, copyFromRows: 200, connectTimeoutMs: 30_000, statementTimeoutMs: 300_000 }

/** Time in ms by which the server's own timeout is to come before the driver's, which gives the connection up. */
const TIMEOUT_MARGIN = 10_000

/** Errors of a refused login: appendix A of PostgreSQL's manual, class 28. */
const REFUSED = new Set(['28P01', '28000'])

/**
 * A warehouse in Amazon Redshift, provisioned or serverless. Nothing is connected before the first use; a lost connection
 * is replaced at the next call. Names of tables and columns are lower case there.
 * @throws MillraceError INVALID_OPTION when `url` is no URL of Redshift, or when there is more or less than one way to log in.
 */
export function redshiftWarehouse(options: RedshiftOptions): Warehouse {
  const { objectStore, copyCredentials, region } = options
  const { maxSessions, copyFromRows, connectTimeoutMs, statementTimeoutMs } = { ...DEFAULTS, ...options }
  const { name, connection } = redshiftAddress(options)
  return sqlWarehouse(
    new PgDatabase({
      name,
      dialect: redshiftDialect({ objectStore, copyCredentials, region, copyFromRows }),
      maxSessions,
      connection: async () => ({
        ...(await connection()),
        connectionTimeoutMillis: connectTimeoutMs,
        query_timeout: statementTimeoutMs + TIMEOUT_MARGIN,
        keepAlive: true,
        application_name: 'millrace',
      }),
      setUp: [
        `SET statement_timeout TO ${statementTimeoutMs}`,
        `SET timezone TO 'UTC'`,
        // Doubles with all their digits: https://docs.aws.amazon.com/redshift/latest/dg/r_extra_float_digits.html
        'SET extra_float_digits TO 2',
      ],
      advice,
      open: client => new PgSession(client),
    }),
  )
}

/** What to check where a connection failed. */
function advice(failure: Error): string {
  const code = 'code' in failure ? String(failure.code) : ''
  if (REFUSED.has(code)) return ' (check user and password, or the identity that asks for them by IAM)'
  if (/does not support SSL/i.test(failure.message)) return ' (sslmode=disable in the URL is for a tunnel)'
  if (/certificate/i.test(failure.message))
    return ' (use the host name of the endpoint, or name the file of its authority by sslrootcert in the URL)'
  return ''
}
