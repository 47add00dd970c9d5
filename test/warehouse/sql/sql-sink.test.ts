import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Warehouse } from '../../../src/ports/warehouse.js'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { type PostgresService, postgresAvailable, startPostgres } from '../../services/postgres.js'
import { allRows, flushOf, identityOf, NOW, questTable } from '../warehouse-contract.js'
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.js'
import { LOG_END, rowsOf, TABLE } from './quest-log.js'

const WRITER = fileURLToPath(new URL('./competing-writer.ts', import.meta.url))
const row = (type: string, events: number) => [type, new Date(NOW), events, null]

describe.skipIf(postgresAvailable() !== undefined)('a sink in a real PostgreSQL', () => {
  let server: PostgresService
  let admin: pg.Client
  beforeAll(async () => {
    server = await startPostgres()
  })
  beforeEach(async () => {
    admin = new pg.Client({ connectionString: server.url })
    admin.on('error', () => undefined)
    await admin.connect()
  })
  afterEach(() => admin.end().catch(() => undefined))
  afterAll(() => server?.stop())

  describe('with competing writers in processes of their own', () => {
    let warehouse: Warehouse
    const alive = new Map<ChildProcess, Promise<unknown>>()
    const exits: (number | string | null)[] = []
    const start = (mode: 'fenced' | 'naive', stopAt = -1) => {
      const args = ['--import', 'tsx', WRITER, mode, server.url, String(stopAt)]
      const child = spawn(process.execPath, args, { stdio: 'inherit' })
      child.on('exit', (code, signal) => {
        alive.delete(child)
        exits.push(code ?? signal)
      })
      alive.set(child, once(child, 'exit'))
      return child
    }
    const killAll = async () => {
      const ended = [...alive.values()]
      for (const child of alive.keys()) child.kill('SIGKILL')
      await Promise.all(ended)
    }
    const wrongRows = async () => {
      const found = new Map((await allRows(warehouse, TABLE)).map(each => [JSON.stringify(each.slice(0, 2)), each]))
      const expected = rowsOf(0, LOG_END)
      expect(found.size).toBe(expected.length)
      return expected.filter(
        each => JSON.stringify(found.get(JSON.stringify(each.slice(0, 2)))) !== JSON.stringify(each),
      )
    }
    beforeEach(async () => {
      await admin.query(`DROP TABLE IF EXISTS competing, naive_offsets, millrace_offsets`)
      await admin.query('CREATE TABLE naive_offsets (next_offset bigint)')
      await admin.query('INSERT INTO naive_offsets VALUES (0)')
      warehouse = postgresWarehouse({ url: server.url })
      await warehouse.prepare(TABLE)
      exits.length = 0
    })
    afterEach(async () => {
      await killAll()
      await warehouse.close()
    })

    /** Resolves when the offset in the warehouse is at least `offset`. */
    const reached = async (offset: number, table = 'millrace_offsets', meanwhile = () => {}) => {
      for (;;) {
        meanwhile()
        const { rows } = await admin.query(`SELECT next_offset FROM ${table}`)
        if (Number(rows[0]?.next_offset) >= offset) return
        await sleep(5)
      }
    }

    it('has every row right after kills at random moments', async () => {
      const keepTwo = () => {
        while (alive.size < 2 && !exits.includes(0)) start('fenced')
      }
      const kills = 6
      for (let kill = 1; kill <= kills; kill++) {
        await reached((kill + Math.random()) * 200, 'millrace_offsets', keepTwo)
        await sleep(Math.random() * 30)
        const victims = [...alive]
        const [victim, ended] = victims[Math.floor(Math.random() * victims.length)] as (typeof victims)[number]
        victim.kill('SIGKILL')
        await ended
      }
      await reached(LOG_END, 'millrace_offsets', keepTwo)
      while (!exits.includes(0)) await sleep(5)
      await killAll()
      expect(exits.filter(exit => exit === 'SIGKILL').length).toBeGreaterThanOrEqual(kills - 1)
      expect(exits).toContain(3)
      expect(exits).not.toContain(4)
      expect(await wrongRows()).toEqual([])
    }, 90_000)

    /** A second writer overtakes one that stopped; then the first wakes up and writes what it had computed before. */
    const overtake = async (mode: 'fenced' | 'naive') => {
      const table = mode === 'naive' ? 'naive_offsets' : 'millrace_offsets'
      const first = start(mode, LOG_END * 0.1)
      await reached(LOG_END * 0.1, table)
      start(mode)
      await reached(LOG_END * 0.6, table)
      first.kill('SIGCONT')
      while (exits.length < 2) await sleep(5)
      return wrongRows()
    }

    it('has every row right when a writer wakes up after it was overtaken', async () => {
      expect(await overtake('fenced')).toEqual([])
      expect(exits).toEqual([3, 0])
    }, 60_000)

    it('would have wrong rows in the same schedule without the fence (control)', async () => {
      expect((await overtake('naive')).length).toBeGreaterThan(0)
      expect(exits).toEqual([5, 0])
    }, 60_000)
  })

  it('lets a paused writer write old rows where the fence is taken away (control)', async () => {
    const table = questTable('paused')
    const warehouse = postgresWarehouse({ url: server.url })
    await warehouse.prepare(table)
    const paused = await warehouse.openSink(identityOf(table))
    const { rows } = await admin.query(`SELECT owner FROM millrace_offsets WHERE sink = 'paused-rows'`)
    const successor = await warehouse.openSink(identityOf(table))
    await successor.flush(flushOf(200, [row('a', 200)]))
    await expect(paused.flush(flushOf(100, [row('a', 100)]))).rejects.toMatchObject({ code: 'WAREHOUSE_FENCED' })
    expect(await allRows(warehouse, table)).toEqual([row('a', 200)])
    await admin.query(`UPDATE millrace_offsets SET owner = $1, next_offset = 0 WHERE sink = 'paused-rows'`, [
      rows[0].owner,
    ])
    await paused.flush(flushOf(100, [row('a', 100)]))
    expect(await allRows(warehouse, table)).toEqual([row('a', 100)])
    await warehouse.close()
  })

  describe('when the connection is lost at COMMIT', () => {
    let proxy: CuttingProxy
    let warehouse: Warehouse
    beforeEach(async () => {
      proxy = await startCuttingProxy(server.url)
      warehouse = postgresWarehouse({ url: proxy.url, statementTimeoutMs: 1_000 })
    })
    afterEach(async () => {
      proxy.accept()
      await warehouse.close()
      await proxy.close()
    })
    const open = async (name: string) => {
      const table = questTable(name)
      await warehouse.prepare(table)
      const sink = await warehouse.openSink(identityOf(table))
      await sink.flush(flushOf(1, [row('a', 1)]))
      return { table, sink }
    }

    it('finds out that the flush was written', async () => {
      const { table, sink } = await open('cut_after')
      proxy.arm('after COMMIT')
      await sink.flush(flushOf(2, [row('a', 2)]))
      expect(sink.nextOffset).toBe(2)
      await sink.flush(flushOf(3, [row('b', 3)]))
      expect(await allRows(warehouse, table)).toEqual([row('a', 2), row('b', 3)])
    })

    it('finds out that the flush was not written', async () => {
      const { table, sink } = await open('cut_before')
      proxy.arm('before COMMIT')
      await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject({
        code: 'WAREHOUSE',
        message: expect.stringContaining('nothing was written'),
      })
      expect(sink.nextOffset).toBe(1)
      await sink.flush(flushOf(3, [row('a', 3)]))
      expect(await allRows(warehouse, table)).toEqual([row('a', 3)])
    })

    it.each(['before COMMIT', 'after COMMIT'] as const)('goes on when the answer came late (%s)', async cut => {
      const { table, sink } = await open(`cut_unknown_${cut.slice(0, 2)}`)
      proxy.arm(cut, { refuse: true })
      await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject({
        code: 'WAREHOUSE',
        message: expect.stringContaining('shows when the flush is repeated'),
      })
      await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject({ code: 'WAREHOUSE' })
      proxy.accept()
      await sink.flush(flushOf(5, [row('a', 5)]))
      expect(sink.nextOffset).toBe(5)
      expect(await allRows(warehouse, table)).toEqual([row('a', 5)])
    })

    it('waits for a COMMIT that still hangs, and does not take it for undone', async () => {
      const { table, sink } = await open('cut_hang')
      proxy.arm('hang')
      const flushing = sink.flush(flushOf(2, [row('a', 2)])).catch(thrown => thrown)
      await expect(flushing).resolves.toMatchObject({ code: 'WAREHOUSE' })
      // The hanging session still holds the lock of the sink's row; ending it is what the server's timeout does later.
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND pid <> pg_backend_pid()`,
      )
      await sink.flush(flushOf(3, [row('a', 3)]))
      expect(await allRows(warehouse, table)).toEqual([row('a', 3)])
    })

    it('is fenced when somebody else took the sink over meanwhile', async () => {
      const { table, sink } = await open('cut_fenced')
      proxy.arm('before COMMIT', { refuse: true })
      await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject({ code: 'WAREHOUSE' })
      proxy.accept()
      const other = postgresWarehouse({ url: server.url })
      await other.openSink(identityOf(table))
      await other.close()
      await expect(sink.flush(flushOf(3, [row('a', 3)]))).rejects.toMatchObject({ code: 'WAREHOUSE_FENCED' })
    })
  })

  it('repeats a flush that a deadlock undid', async () => {
    const table = questTable('deadlocked')
    const warehouse = postgresWarehouse({ url: server.url })
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(1, [row('a', 1), row('b', 1)]))
    await admin.query(`SET deadlock_timeout = '20s'`)
    await admin.query('BEGIN')
    await admin.query(`UPDATE deadlocked SET events = 7 WHERE quest_type = 'b'`)
    const flushing = sink.flush(flushOf(2, [row('a', 2), row('b', 2)]))
    await sleep(300)
    await admin.query(`UPDATE deadlocked SET events = 7 WHERE quest_type = 'a'`)
    await admin.query('COMMIT')
    await flushing
    const { rows } = await admin.query(`SELECT deadlocks::int FROM pg_stat_database WHERE datname = 'postgres'`)
    expect(rows[0].deadlocks).toBeGreaterThan(0)
    expect(await allRows(warehouse, table)).toEqual([row('a', 2), row('b', 2)])
    await warehouse.close()
  })

  it('rebuilds when the table was dropped and created again', async () => {
    const table = questTable('recreated')
    const warehouse = postgresWarehouse({ url: server.url })
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(7, [row('a', 1)]))
    await admin.query('DROP TABLE recreated')
    await expect(sink.flush(flushOf(8, [row('a', 2)]))).rejects.toMatchObject({ code: 'WAREHOUSE' })
    await warehouse.prepare(table)
    const next = await warehouse.openSink(identityOf(table))
    expect([next.nextOffset, next.rebuild]).toEqual([0, true])
    await warehouse.close()
  })

  it('writes owner, epoch, topic and time for people to read', async () => {
    const table = questTable('readable')
    const warehouse = postgresWarehouse({ url: server.url })
    await warehouse.prepare(table)
    await warehouse.openSink(identityOf(table))
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(42, []))
    const { rows } = await admin.query(`SELECT * FROM millrace_offsets WHERE sink = 'readable-rows'`)
    expect(rows).toMatchObject([
      {
        partition: 0,
        next_offset: '42',
        epoch: '2',
        topic_id: 'topic-1',
        as_of: new Date(NOW),
        owner: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    ])
    await warehouse.close()
  })

  it('stays usable when the server goes down and comes back', async () => {
    const table = questTable('restarted')
    const warehouse = postgresWarehouse({ url: server.url, connectTimeoutMs: 2_000 })
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(1, [row('a', 1)]))
    await server.kill()
    const down = { code: 'WAREHOUSE', message: expect.stringContaining(warehouse.name) }
    await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject(down)
    await expect(sink.flush(flushOf(2, [row('a', 2)]))).rejects.toMatchObject(down)
    await expect(warehouse.prepare(table)).rejects.toMatchObject(down)
    await expect(warehouse.openSink(identityOf(table, { partition: 1 }))).rejects.toMatchObject(down)
    await expect(allRows(warehouse, table)).rejects.toMatchObject(down)
    await server.restart()
    await sink.flush(flushOf(3, [row('a', 3)]))
    expect(await allRows(warehouse, table)).toEqual([row('a', 3)])
    await warehouse.close()
  })

  it('loses and doubles nothing when the server is killed under large flushes', async () => {
    const table = questTable('killed_under_load')
    const warehouse = postgresWarehouse({ url: server.url, connectTimeoutMs: 2_000 })
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    const flushes = (n: number) =>
      flushOf(
        n,
        Array.from({ length: 6_000 }, (_, i) => row(`type-${i}`, n)),
      )
    let failures = 0
    for (let n = 1; n <= 12; n++) {
      const crash = n % 3 === 0 ? sleep(Math.random() * 120).then(() => server.kill()) : undefined
      const failed = await sink.flush(flushes(n)).then(
        () => undefined,
        thrown => thrown,
      )
      if (crash) {
        await crash
        await server.restart()
      }
      if (!failed) continue
      failures++
      expect(failed).toMatchObject({ code: 'WAREHOUSE' })
      await sink.flush(flushes(n))
    }
    expect(failures).toBeGreaterThan(0)
    const rows = await allRows(warehouse, table)
    expect(rows.length).toBe(6_000)
    expect(new Set(rows.map(([, , events]) => events))).toEqual(new Set([12]))
    await warehouse.close()
  }, 60_000)
})
