import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { type PostgresService, postgresAvailable, startPostgres } from '../../services/postgres.js'
import { allRows, flushOf, identityOf, NOW, questTable, warehouseContract } from '../warehouse-contract.js'

const unavailable = postgresAvailable()
const withPassword = (url: string) => url.replace('postgres@', 'postgres:S3cret!@')

if (!unavailable) {
  warehouseContract('PostgreSQL', async () => {
    const server = await startPostgres()
    const admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    // Dates read and written as 31/12/2026: nothing may depend on it.
    await admin.query(`ALTER DATABASE postgres SET datestyle = 'SQL, DMY'`)
    await admin.end()
    const warehouse = postgresWarehouse({ url: server.url })
    return {
      connect: () => warehouse,
      async stop() {
        await warehouse.close()
        await server.stop()
      },
    }
  })
}

describe('postgresWarehouse', () => {
  it('is named by host, port and database alone', () => {
    const nameOf = (url: string) => postgresWarehouse({ url }).name
    expect(nameOf('postgres://user:S3cret!@db.example:6543/analytics?sslmode=require')).toBe(
      'PostgreSQL at db.example:6543/analytics',
    )
    expect(nameOf('postgresql://db.example/analytics')).toBe('PostgreSQL at db.example:5432/analytics')
  })

  it('refuses what is no URL, without showing it', () => {
    const unescaped = ['12/S3cret!', '12?S3cret!', '12#S3cret!'].map(password => `postgres://user:${password}@host/db`)
    for (const url of ['', 'S3cret!', 'mysql://user:S3cret!@host/db', ...unescaped]) {
      const refusal = (() => {
        try {
          return postgresWarehouse({ url })
        } catch (thrown) {
          return thrown
        }
      })()
      expect(refusal).toMatchObject({ code: 'INVALID_OPTION' })
      expect(inspect(refusal)).not.toContain('S3cret')
    }
  })

  it('refuses two passwords', () => {
    for (const url of ['postgres://user:S3cret!@host/db', 'postgres://host/db?password=S3cret!']) {
      expect(() => postgresWarehouse({ url, password: 'S3cret!' })).toThrow(/given twice: in its URL and separately/)
    }
  })

  it('says that nobody answers, without the password, and in time', async () => {
    const listener = createServer()
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const address = listener.address()
    const port = typeof address === 'object' ? address?.port : 0
    const sockets: Socket[] = []
    listener.on('connection', socket => sockets.push(socket))
    // The first accepts connections and says nothing, the second does not listen any more.
    for (const round of ['silent', 'closed']) {
      if (round === 'closed') {
        listener.close()
        for (const socket of sockets) socket.destroy()
        await once(listener, 'close')
      }
      const warehouse = postgresWarehouse({ url: `postgres://u:S3cret!@127.0.0.1:${port}/db`, connectTimeoutMs: 300 })
      const failure = await warehouse.prepare(questTable('quests')).catch(thrown => thrown)
      expect(failure).toMatchObject({ code: 'WAREHOUSE', message: expect.stringContaining(warehouse.name) })
      expect(inspect(failure, { depth: 9 })).not.toContain('S3cret')
      await warehouse.close()
    }
  })

  it('refuses use after close, as often as it is closed', async () => {
    const warehouse = postgresWarehouse({ url: 'postgres://localhost/db' })
    await warehouse.close()
    await warehouse.close()
    await expect(warehouse.prepare(questTable('quests'))).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringContaining('after it was closed'),
    })
  })
})

describe.skipIf(unavailable !== undefined)('postgresWarehouse with a real server', () => {
  let server: PostgresService
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  it('shares two sessions among all sink partitions of a process', async () => {
    const warehouse = postgresWarehouse({ url: withPassword(server.url) })
    const table = questTable('many_partitions')
    await warehouse.prepare(table)
    const sinks = await Promise.all(
      Array.from({ length: 12 }, (_, partition) => warehouse.openSink(identityOf(table, { partition }))),
    )
    const admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    let most = 0
    const flushing = Promise.all(
      sinks.map((sink, i) =>
        sink.flush(
          flushOf(
            1,
            Array.from({ length: 2_500 }, (_, n) => [`p${i}-${n}`, new Date(NOW), n, n]),
          ),
        ),
      ),
    )
    let done = false
    flushing.finally(() => {
      done = true
    })
    while (!done) {
      const { rows } = await admin.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'millrace'`,
      )
      most = Math.max(most, rows[0].n)
    }
    await flushing
    await admin.end()
    expect(most).toBe(2)
    expect((await allRows(warehouse, table)).length).toBe(30_000)
    await warehouse.close()
  })

  it('gives a statement up that takes longer than it may, and goes on', async () => {
    const warehouse = postgresWarehouse({ url: server.url, statementTimeoutMs: 300 })
    const table = questTable('locked')
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    const admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    await admin.query('BEGIN')
    await admin.query('LOCK TABLE locked')
    await expect(sink.flush(flushOf(1, [['a', new Date(NOW), 1, null]]))).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringContaining('nothing was written'),
    })
    await admin.query('ROLLBACK')
    await sink.flush(flushOf(2, [['a', new Date(NOW), 2, null]]))
    expect(await allRows(warehouse, table)).toEqual([['a', new Date(NOW), 2, null]])
    await admin.end()
    await warehouse.close()
  })
})
