import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import pg from 'pg'
import { databaseSettings, SETUP } from './catalog.js'
import { ClientMessages } from './client-messages.js'
import type { LoadError } from './copy/load.js'
import { RedshiftFaults } from './faults.js'
import { login } from './login.js'
import { Session } from './session.js'

/** A statement as a client sent it, at most 1,000 characters of it. */
export interface LoggedStatement {
  /** Number of the session, from 1. */
  readonly session: number
  readonly sql: string
}

export interface RedshiftShimOptions {
  /** URL of the PostgreSQL server that keeps the data; its user has to be a superuser. */
  readonly postgres: string
  /** `http://127.0.0.1:port` of the object store that COPY reads, by path-style addresses. */
  readonly objectStore: string
  /** Made where it does not exist; default `dev`, as in a new cluster. */
  readonly database?: string
  /** Sessions at a time; default 500. */
  readonly connectionLimit?: number
  /** Whether a user comes in with a password; default: everybody does. */
  readonly authenticate?: (user: string, password: string) => boolean
  /** Numbers from 0 to 1, for faults with a probability; default Math.random. */
  readonly random?: () => number
}

/** Amazon Redshift as far as its documentation says how it behaves, over PostgreSQL. */
export interface RedshiftShim {
  /** `postgres://awsuser@127.0.0.1:port/dev`. */
  readonly url: string
  readonly sessions: {
    readonly open: number
    /** The most that were open at a time. */
    readonly peak: number
  }
  /** Statements of all clients so far. */
  readonly log: readonly LoggedStatement[]
  readonly faults: RedshiftFaults
  /** From now on so many sessions come in at a time. */
  limitConnections(limit: number): void
  /** Cuts every connection. */
  close(): Promise<void>
}

/** Starts a shim on a free port of 127.0.0.1. PostgreSQL stays after `close`, with its data. */
export async function startRedshiftShim(options: RedshiftShimOptions): Promise<RedshiftShim> {
  const database = options.database ?? 'dev'
  const admin = await prepareDatabase(options.postgres, database)
  const faults = new RedshiftFaults(options.random ?? Math.random)
  const log: LoggedStatement[] = []
  const sessions = { open: 0, peak: 0 }
  const sockets = new Set<Socket>()
  let limit = options.connectionLimit ?? 500
  let count = 0

  const serve = async (client: Socket): Promise<void> => {
    const messages = new ClientMessages(client)
    const isFull = () => sessions.open >= limit
    const upstream = await login(client, messages, { ...options, database, faults, isFull })
    if (!upstream) return
    const number = ++count
    sessions.open++
    sessions.peak = Math.max(sessions.peak, sessions.open)
    void upstream.closed.then(() => {
      sessions.open--
      client.destroy()
    })
    // A client that vanished must not keep what its session has locked.
    client.on('close', () => upstream.destroy())
    const session = new Session(client, upstream, {
      faults,
      objectStore: options.objectStore,
      note: sql => void log.push({ session: number, sql: sql.slice(0, 1_000) }),
      reportLoadError: (table, error) => reportLoadError(admin, table, error),
    })
    for (let message = await messages.next(); message; message = await messages.next()) {
      if (!(await session.take(message))) break
    }
    upstream.end()
  }

  const server = createServer(client => {
    sockets.add(client)
    client.setNoDelay(true)
    client.on('error', () => undefined)
    client.on('close', () => sockets.delete(client))
    // What fails here is a connection that broke at one of its ends.
    serve(client)
      .catch(() => undefined)
      .finally(() => client.destroySoon())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `postgres://awsuser@127.0.0.1:${port}/${database}`,
    sessions,
    log,
    faults,
    limitConnections: next => {
      limit = next
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
      await admin.end()
    },
  }
}

async function reportLoadError(admin: pg.Client, table: string, error: LoadError): Promise<void> {
  await admin.query(
    `INSERT INTO redshift_shim.stl_load_errors (tbl, filename, line_number, colname, type, raw_field_value, err_reason)
     VALUES ($1, $2, $3, $4, $5, left($6, 1024), left($7, 100))`,
    [table, error.url, error.line, error.column, error.type, error.value, error.reason],
  )
}

async function prepareDatabase(url: string, database: string): Promise<pg.Client> {
  const server = new pg.Client({ connectionString: url })
  await server.connect()
  const { rowCount } = await server.query('SELECT FROM pg_database WHERE datname = $1', [database])
  if (rowCount === 0) await server.query(`CREATE DATABASE "${database}"`)
  for (const statement of databaseSettings(database)) await server.query(statement)
  await server.end()
  const address = new URL(url)
  address.pathname = `/${database}`
  const admin = new pg.Client({ connectionString: address.href })
  admin.on('error', () => undefined)
  await admin.connect()
  if (rowCount === 0) await admin.query(SETUP)
  return admin
}
