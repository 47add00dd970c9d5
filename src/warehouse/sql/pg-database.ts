import type pg from 'pg'
import { MillraceError } from '../../model/errors.js'
import type { SqlDatabase, SqlDialect } from './dialect.js'
import { PgSessions } from './pg-sessions.js'
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
  readonly sessions: PgSessions
  private closing: Promise<void> | undefined

  constructor(private readonly options: PgDatabaseOptions) {
    this.name = options.name
    this.dialect = options.dialect
    this.sessions = new PgSessions(options.name, options.maxSessions, options.connection, async client => {
      for (const statement of options.setUp ?? []) await client.query(statement)
    })
  }

  async session<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const lent = await this.take()
    let failed = true
    try {
      const result = await work(this.options.open(lent.client))
      failed = false
      return result
    } finally {
      this.sessions.giveBack(lent, failed)
    }
  }

  /** Reads by a cursor. Whoever reads holds a session until the end, so that it cannot wait for another one meanwhile. */
  async *select(sql: string): AsyncIterable<TextRow> {
    const lent = await this.take()
    let failed = true
    try {
      const session = this.options.open(lent.client)
      await session.query('BEGIN READ ONLY')
      await session.query(`DECLARE millrace_rows CURSOR FOR ${sql}`)
      for (;;) {
        const { rows } = await session.query(`FETCH FORWARD ${FETCH_ROWS} FROM millrace_rows`)
        yield* rows
        if (rows.length < FETCH_ROWS) break
      }
      await session.query('COMMIT')
      failed = false
    } finally {
      this.sessions.giveBack(lent, failed)
    }
  }

  close(): Promise<void> {
    this.closing ??= this.sessions.allow(0)
    return this.closing
  }

  private take() {
    if (this.closing) throw new MillraceError('WAREHOUSE', `${this.name} was used after it was closed.`)
    return this.connected(this.sessions.take())
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
