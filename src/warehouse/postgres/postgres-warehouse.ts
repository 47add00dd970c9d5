import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { MillraceError } from '../../model/errors.js'
import type { Warehouse } from '../../ports/warehouse.js'
import type { SqlDatabase } from '../sql/dialect.js'
import { postgresDialect } from '../sql/postgres-dialect.js'
import type { SqlSession, TextRow } from '../sql/session.js'
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

/** Rows of one FETCH when a table is read. */
const FETCH_ROWS = 2_000

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
  return sqlWarehouse(new PostgresDatabase({ ...DEFAULTS, ...options, url }, name))
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

class PostgresDatabase implements SqlDatabase {
  readonly dialect = postgresDialect
  private pool: Promise<pg.Pool> | undefined
  private closing: Promise<void> | undefined
  readonly sessions: { inUse: number; readonly limit: number }

  constructor(
    private readonly options: Required<Omit<PostgresOptions, 'password'>>,
    readonly name: string,
  ) {
    this.sessions = { inUse: 0, limit: options.maxSessions }
  }

  async session<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    this.requireOpen()
    this.pool ??= this.createPool()
    const client = await connected((await this.pool).connect())
    this.sessions.inUse++
    // A broken connection fails the query that runs and is reported here as well; without a listener it ends the process.
    const ignore = () => undefined
    client.on('error', ignore)
    let failed = true
    try {
      const result = await work(new PostgresSession(client))
      failed = false
      return result
    } finally {
      client.off('error', ignore)
      // After a failure the session may be inside a transaction or broken: it is closed, not reused.
      client.release(failed)
      this.sessions.inUse--
    }
  }

  private async createPool(): Promise<pg.Pool> {
    const { default: driver } = await import('pg')
    const pool = new driver.Pool({ ...this.connection(), max: this.options.maxSessions })
    // Idle connections break when the server restarts; the pool replaces them.
    pool.on('error', () => undefined)
    return pool
  }

  private connection(): pg.ClientConfig {
    return {
      connectionString: this.options.url,
      connectionTimeoutMillis: this.options.connectTimeoutMs,
      query_timeout: this.options.statementTimeoutMs,
      keepAlive: true,
      application_name: 'millrace',
    }
  }

  /** Reads by a cursor on a connection of its own, so that a reader never waits for a session that it holds itself. */
  async *select(sql: string): AsyncIterable<TextRow> {
    this.requireOpen()
    const { default: driver } = await import('pg')
    const client = new driver.Client(this.connection())
    client.on('error', () => undefined)
    this.sessions.inUse++
    try {
      await connected(client.connect())
      await client.query('BEGIN READ ONLY')
      await client.query(`DECLARE millrace_rows NO SCROLL CURSOR FOR ${sql}`)
      for (;;) {
        const fetch = { text: `FETCH ${FETCH_ROWS} FROM millrace_rows`, rowMode: 'array' as const }
        const { rows } = await client.query<(string | null)[]>(fetch)
        yield* rows
        if (rows.length < FETCH_ROWS) return
      }
    } finally {
      await client.end().catch(() => undefined)
      this.sessions.inUse--
    }
  }

  close(): Promise<void> {
    this.closing ??= Promise.resolve(this.pool).then(pool => pool?.end())
    return this.closing
  }

  private requireOpen(): void {
    if (this.closing) throw new MillraceError('WAREHOUSE', `${this.name} was used after it was closed.`)
  }
}

/** Adds what to check to the message of a connection that failed. */
function connected<T>(connecting: Promise<T>): Promise<T> {
  return connecting.catch((thrown: unknown) => {
    if (thrown instanceof Error) thrown.message += connectAdvice(thrown)
    throw thrown
  })
}

class PostgresSession implements SqlSession {
  constructor(private readonly client: pg.PoolClient) {}

  async query(sql: string, parameters?: TextRow) {
    const query = { text: sql, rowMode: 'array' as const, ...(parameters ? { values: [...parameters] } : {}) }
    const { rows, rowCount } = await this.client.query<(string | null)[]>(query)
    return { rows, affected: rowCount ?? 0 }
  }

  async copy(table: string, rows: Iterable<TextRow>): Promise<void> {
    const { from } = await import('pg-copy-streams')
    await pipeline(Readable.from(copyText(rows)), this.client.query(from(`COPY ${table} FROM STDIN`)))
  }
}
