import type pg from 'pg'
import { MillraceError } from '../../model/errors.js'
import type { SqlDatabase, SqlDialect } from './dialect.js'
import type { SqlSession, TextRow } from './session.js'

/** How the sessions of a database begin. */
export interface PgDatabaseOptions {
  /** For messages, without secrets. */
  readonly name: string
  readonly dialect: SqlDialect
  readonly maxSessions: number
  /** What the sessions are opened with; asked at the first use. */
  readonly connection: () => Promise<pg.ClientConfig>
  /** Statements that each session begins with. */
  readonly setUp?: readonly string[]
  /** What to check where a connection failed; empty where the error says all. Begins with ` (`. */
  readonly advice: (failure: Error) => string
  readonly open: (client: pg.ClientBase) => SqlSession
}

/** Rows of one FETCH when a table is read. */
const FETCH_ROWS = 2_000

/** A database that the driver `pg` connects to; nothing is connected before the first use. */
export class PgDatabase implements SqlDatabase {
  readonly name: string
  readonly dialect: SqlDialect
  readonly sessions: { inUse: number; readonly limit: number }
  private pool: Promise<pg.Pool> | undefined
  private closing: Promise<void> | undefined

  constructor(private readonly options: PgDatabaseOptions) {
    this.name = options.name
    this.dialect = options.dialect
    this.sessions = { inUse: 0, limit: options.maxSessions }
  }

  async session<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    this.requireOpen()
    this.pool ??= this.createPool().catch(thrown => {
      this.pool = undefined
      throw thrown
    })
    const client = await this.connected((await this.pool).connect())
    this.sessions.inUse++
    // A broken connection fails the query that runs and is reported here as well; without a listener it ends the process.
    const ignore = () => undefined
    client.on('error', ignore)
    let failed = true
    try {
      const result = await work(this.options.open(client))
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
    const connection = await this.options.connection()
    const pool = new driver.Pool({
      ...connection,
      max: this.options.maxSessions,
      onConnect: client => this.setUp(client),
    })
    // Idle connections break when the server restarts; the pool replaces them.
    pool.on('error', () => undefined)
    return pool
  }

  private async setUp(client: pg.ClientBase): Promise<void> {
    for (const statement of this.options.setUp ?? []) await client.query(statement)
  }

  /** Reads by a cursor on a connection of its own, so that a reader never waits for a session that it holds itself. */
  async *select(sql: string): AsyncIterable<TextRow> {
    this.requireOpen()
    const { default: driver } = await import('pg')
    const client = new driver.Client(await this.options.connection())
    client.on('error', () => undefined)
    this.sessions.inUse++
    try {
      await this.connected(client.connect())
      await this.setUp(client)
      const session = this.options.open(client)
      await session.query('BEGIN READ ONLY')
      await session.query(`DECLARE millrace_rows CURSOR FOR ${sql}`)
      for (;;) {
        const { rows } = await session.query(`FETCH FORWARD ${FETCH_ROWS} FROM millrace_rows`)
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

  /** Adds what to check to the message of a connection that failed. */
  private connected<T>(connecting: Promise<T>): Promise<T> {
    return connecting.catch((thrown: unknown) => {
      if (thrown instanceof Error) thrown.message += this.options.advice(thrown)
      throw thrown
    })
  }
}

/** Values as the server spells them, whatever their type. */
const AS_TEXT = { getTypeParser: () => (text: string) => text }

/** A session over a connection of the driver `pg`. */
export class PgSession implements SqlSession {
  constructor(protected readonly client: pg.ClientBase) {}

  async query(sql: string, parameters?: TextRow) {
    const values = parameters ? { values: [...parameters] } : {}
    const query = { text: sql, rowMode: 'array' as const, types: AS_TEXT, ...values }
    const { rows, rowCount } = await this.client.query<(string | null)[]>(query)
    return { rows, affected: rowCount ?? 0 }
  }
}
