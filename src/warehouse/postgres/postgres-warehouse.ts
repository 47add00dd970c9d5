import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { MillraceError } from '../../model/errors.js'
import type { Warehouse } from '../../ports/warehouse.js'
import { PgDatabase, PgSession } from '../sql/pg-database.js'
import { postgresDialect } from '../sql/postgres-dialect.js'
import type { TextRow } from '../sql/session.js'
import { sqlWarehouse } from '../sql/sql-warehouse.js'
import { connectAdvice } from './connect-advice.js'
import { copyText } from './copy-text.js'
import { assertReadableFiles } from './tls-files.js'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…`. */
  readonly url: string
  /** Where the URL has none. Without both, PGPASSWORD and ~/.pgpass count, as for every client of PostgreSQL. */
  readonly password?: string
  /** Largest number of sessions, which all sink partitions of a process share; default 2. */
  readonly maxSessions?: number
  /** Longest time of a connection attempt in ms; default 10 seconds. */
  readonly connectTimeoutMs?: number
  /** Longest time of one statement in ms, after which the connection is given up; default 5 minutes. */
  readonly statementTimeoutMs?: number
}

const DEFAULTS = { maxSessions: 2, connectTimeoutMs: 10_000, statementTimeoutMs: 300_000 }

/**
 * A warehouse in PostgreSQL 15 or later. Nothing is connected before the first use; a lost connection is replaced at the
 * next call.
 * @throws MillraceError INVALID_OPTION when `url` is no URL of PostgreSQL, names a file for TLS that cannot be read, or
 * has a password besides `password`.
 */
export function postgresWarehouse({ password, ...options }: PostgresOptions): Warehouse {
  const name = nameOf(options.url)
  assertReadableFiles(new URL(options.url))
  const url = password === undefined ? options.url : withPassword(options.url, password)
  const { maxSessions, connectTimeoutMs, statementTimeoutMs } = { ...DEFAULTS, ...options }
  const connection: pg.ClientConfig = {
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs,
    keepAlive: true,
    application_name: 'millrace',
  }
  return sqlWarehouse(
    new PgDatabase({
      name,
      dialect: postgresDialect,
      maxSessions,
      connection: async () => connection,
      advice: connectAdvice,
      open: client => new PostgresSession(client, statementTimeoutMs),
    }),
  )
}

/** The driver takes no password beside a URL, and a URL without a host takes none but as a parameter. */
function withPassword(text: string, password: string): string {
  const url = new URL(text)
  if (url.password !== '' || url.searchParams.has('password')) {
    throw new MillraceError(
      'INVALID_OPTION',
      'The password of the PostgreSQL warehouse is given twice: in its URL and separately. Remove one.',
    )
  }
  url.searchParams.set('password', password)
  return url.href
}

/** Host, port and database; neither user nor password. */
function nameOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // What follows a raw / ? or # in a password would be taken for a database and printed.
  const cut = url && `${url.pathname}${url.search}${url.hash}`.includes('@')
  if (!url || cut || !/^postgres(ql)?:$/.test(url.protocol)) {
    // The text is left out of the message: it may hold a password.
    throw new MillraceError(
      'INVALID_OPTION',
      'The URL of the PostgreSQL warehouse is not of the form postgres://user:password@host:port/database, with / ? # and @ in user and password written as %2F %3F %23 and %40.',
    )
  }
  const host = url.hostname || url.searchParams.get('host') || 'localhost'
  return `PostgreSQL at ${host}:${url.port || '5432'}${decodeURIComponent(url.pathname)}`
}

class PostgresSession extends PgSession {
  constructor(
    client: pg.ClientBase,
    private readonly timeoutMs: number,
  ) {
    super(client)
  }

  /** The driver's own timeout does not see how COPY gets on: a host that vanished would hang it. */
  async copy(table: string, rows: Iterable<TextRow>): Promise<void> {
    const { from } = await import('pg-copy-streams')
    const into = this.client.query(from(`COPY ${table} FROM STDIN`))
    await pipeline(Readable.from(copyText(rows)), into, { signal: AbortSignal.timeout(this.timeoutMs) })
  }
}
