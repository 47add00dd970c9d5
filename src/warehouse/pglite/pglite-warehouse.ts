import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { Warehouse } from '../../ports/warehouse.js'
import type { SqlDatabase, SqlDialect } from '../sql/dialect.js'
import { postgresDialect } from '../sql/postgres-dialect.js'
import type { SqlSession, TextRow } from '../sql/session.js'
import { sqlWarehouse } from '../sql/sql-warehouse.js'
import { dataDirectory } from './data-directory.js'
import { lockDirectory } from './directory-lock.js'

/** Where the data is: in a directory, or in memory until `close`. */
export type PgliteOptions = { readonly directory: string } | { readonly memory: true }

/**
 * A warehouse in PGlite, PostgreSQL compiled to WebAssembly that runs in this process, for development without a server.
 * It has one session; it starts at the first use, within 1 to 4 seconds.
 */
export function pgliteWarehouse(options: PgliteOptions): Warehouse {
  return sqlWarehouse(new PgliteDatabase('directory' in options ? options.directory : undefined))
}

/** PGlite drops a byte order mark at the start of a text that it answers; behind another character it is kept. */
const BEFORE_TEXT = '.'

const pgliteDialect: SqlDialect = {
  ...postgresDialect,
  textExpression(column, type) {
    const text = postgresDialect.textExpression(column, type)
    return type === 'text' ? `'${BEFORE_TEXT}' || ${text}` : text
  },
  fromText: (text, type) =>
    postgresDialect.fromText(type === 'text' && text !== null ? text.slice(BEFORE_TEXT.length) : text, type),
}

class PgliteDatabase implements SqlDatabase {
  readonly dialect = pgliteDialect
  readonly name: string
  readonly sessions = { inUse: 0, limit: 1 }
  private opened: Promise<Opened> | undefined
  private closing: Promise<void> | undefined
  private lastUse: Promise<unknown> = Promise.resolve()

  constructor(private readonly directory: string | undefined) {
    this.name = directory === undefined ? 'PGlite in memory' : `PGlite in ${directory}`
  }

  /** The one session goes from caller to caller in the order of their calls. */
  async session<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.closing) throw new MillraceError('WAREHOUSE', `${this.name} was used after it was closed.`)
    const turn = this.lastUse.then(async () => {
      this.opened ??= this.open()
      const { database } = await this.opened.catch(thrown => {
        this.opened = undefined
        throw thrown
      })
      this.sessions.inUse = 1
      return work(new PgliteSession(database)).finally(() => {
        this.sessions.inUse = 0
      })
    })
    this.lastUse = turn.catch(() => undefined)
    return turn
  }

  /** Takes all rows at once: the one session cannot be held while a reader does other things with it. */
  async *select(sql: string): AsyncIterable<TextRow> {
    const { rows } = await this.session(session => session.query(sql))
    yield* rows
  }

  close(): Promise<void> {
    this.closing ??= this.closeNow()
    return this.closing
  }

  private async closeNow(): Promise<void> {
    await this.lastUse
    if (!this.opened) return
    const { database, unlock } = await this.opened
    await database.close()
    await unlock()
  }

  private async open(): Promise<Opened> {
    const { PGlite } = await import('@electric-sql/pglite')
    if (this.directory === undefined) return { database: await PGlite.create(), unlock: async () => undefined }
    const directory = resolve(this.directory)
    await mkdir(directory, { recursive: true })
    const unlock = await lockDirectory(directory)
    try {
      return { database: await PGlite.create(await dataDirectory(directory)), unlock }
    } catch (thrown) {
      await unlock()
      throw new MillraceError(
        'WAREHOUSE',
        `${this.name} cannot be opened: ${messageOf(thrown)}. ` +
          'If its files are damaged, delete the directory: the tables are then filled anew.',
        { cause: thrown },
      )
    }
  }
}

interface Opened {
  readonly database: PGlite
  readonly unlock: () => Promise<void>
}

class PgliteSession implements SqlSession {
  constructor(private readonly database: PGlite) {}

  async query(sql: string, parameters: TextRow = []) {
    const { rows, affectedRows } = await this.database.query<(string | null)[]>(sql, [...parameters], {
      rowMode: 'array',
    })
    return { rows, affected: affectedRows ?? 0 }
  }
}
