import { Socket } from 'node:net'
import pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../e2e/until.js'
import { errorOf, shimBench } from './shim.js'

const bench = shimBench()
let client: pg.Client

beforeAll(async () => {
  client = await bench.connect()
  await client.query('CREATE TABLE t (n int)')
})

describe('the pg driver', () => {
  it('sends parameters and takes rows as arrays', async () => {
    const query = { text: 'SELECT $1::varchar AS a, $2::int + 1 AS b', values: ['é', 41], rowMode: 'array' as const }
    expect((await client.query(query)).rows).toEqual([['é', 42]])
  })

  it('prepares statements by name', async () => {
    const query = { name: 'twice', text: 'SELECT $1::int * 2 AS n' }
    for (const n of [1, 2]) expect((await client.query({ ...query, values: [n] })).rows).toEqual([{ n: 2 * n }])
  })

  it('gets errors of PostgreSQL and of Redshift in statements with parameters, and goes on', async () => {
    expect((await errorOf(client.query('SELECT 1 / $1::int', [0]))).code).toBe('22012')
    expect((await errorOf(client.query('INSERT INTO t VALUES ($1) RETURNING n', [1]))).code).toBe('42601')
    await client.query('BEGIN')
    await errorOf(client.query('INSERT INTO t VALUES ($1) RETURNING n', [1]))
    expect((await errorOf(client.query('SELECT $1::int', [1]))).code).toBe('25P02')
    await client.query('ROLLBACK')
  })

  it('runs several statements of one text', async () => {
    const results: unknown = await client.query('BEGIN; LOCK t; INSERT INTO t VALUES (1); COMMIT')
    expect(results).toMatchObject([
      { command: 'BEGIN' },
      { command: 'LOCK' },
      { command: 'INSERT' },
      { command: 'COMMIT' },
    ])
  })

  it('gets no more than 32,767 parameters through', async () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => index)
    const sql = (count: number) => `SELECT 1 WHERE 1 IN (${values(count).map(index => `$${index + 1}::int`)})`
    expect((await client.query(sql(32_767), values(32_767))).rowCount).toBe(1)
    expect((await errorOf(client.query(sql(32_768), values(32_768)))).code).toBe('42P02')
  })
})

describe('sessions', () => {
  it('are counted and limited', async () => {
    const { open } = bench.shim.sessions
    const other = await bench.connect()
    expect(bench.shim.sessions.open).toBe(open + 1)
    bench.shim.limitConnections(open + 1)
    const thrown = await errorOf(bench.connect())
    expect(thrown).toMatchObject({ code: '53300', message: expect.stringContaining('connection limit') })
    await other.end()
    await until('the session ended', 10_000, async () => bench.shim.sessions.open === open)
    await bench.connect()
    bench.shim.limitConnections(500)
    expect(bench.shim.sessions.peak).toBe(open + 1)
  })

  it('end with a client that vanishes, and free what it locked', async () => {
    const socket = new Socket()
    const holder = new pg.Client({ connectionString: bench.shim.url, stream: () => socket })
    holder.on('error', () => undefined)
    await holder.connect()
    await holder.query('BEGIN')
    await holder.query('LOCK t')
    socket.destroy()
    expect((await client.query('SELECT count(*) FROM t')).rowCount).toBe(1)
  })
})

describe('faults', () => {
  const count = async () => (await client.query('SELECT count(*)::int AS n FROM t')).rows[0].n

  it('1023 at COMMIT: nothing is committed', async () => {
    const before = await count()
    const fault = bench.shim.faults.inject({ kind: 'conflict' })
    await client.query('BEGIN')
    await client.query('INSERT INTO t VALUES (2)')
    expect(await errorOf(client.query('COMMIT'))).toMatchObject({ code: 'XX000', message: '1023' })
    expect(fault.met).toBe(1)
    expect(await count()).toBe(before)
  })

  it('1023 at a statement fails the transaction', async () => {
    bench.shim.faults.inject({ kind: 'conflict', at: /^insert/i })
    await client.query('BEGIN')
    expect((await errorOf(client.query('INSERT INTO t VALUES ($1)', [3]))).message).toBe('1023')
    expect((await errorOf(client.query('SELECT 1'))).code).toBe('25P02')
    await client.query('ROLLBACK')
    expect(bench.shim.faults.done('conflict')).toBe(2)
  })

  it.each([
    ['commit-lost-after', 1],
    ['commit-lost-before', 0],
  ] as const)('%s: the connection is cut, and %i row is there', async (kind, added) => {
    const before = await count()
    const other = await bench.connect()
    bench.shim.faults.inject({ kind })
    await other.query('BEGIN')
    await other.query('INSERT INTO t VALUES (4)')
    expect((await errorOf(other.query('COMMIT'))).code).toBeUndefined()
    expect(await count()).toBe(before + added)
    expect(bench.shim.faults.done(kind)).toBe(1)
  })

  it('a slow COMMIT lasts as long', async () => {
    bench.shim.faults.inject({ kind: 'slow', ms: 300 })
    await client.query('BEGIN')
    const start = performance.now()
    await client.query('COMMIT')
    expect(performance.now() - start).toBeGreaterThanOrEqual(299)
  })

  it('clients are refused, and told that there are too many', async () => {
    bench.shim.faults.inject({ kind: 'refuse' })
    expect((await errorOf(bench.connect())).code).not.toBe('53300')
    bench.shim.faults.inject({ kind: 'connection-limit' })
    expect((await errorOf(bench.connect())).code).toBe('53300')
  })

  it('by probability, until they end', async () => {
    const fault = bench.shim.faults.inject({ kind: 'conflict', at: /^select/i, probability: 0.5, times: 1_000 })
    let conflicts = 0
    for (let i = 0; i < 100; i++) await client.query('SELECT 1').catch(() => conflicts++)
    fault.end()
    expect(conflicts).toBe(fault.met)
    expect(conflicts).toBeGreaterThan(10)
    expect(conflicts).toBeLessThan(90)
    expect((await client.query('SELECT 1')).rowCount).toBe(1)
  })
})

it('every statement is logged with its session', () => {
  expect(bench.shim.log).toContainEqual({ session: 1, sql: 'CREATE TABLE t (n int)' })
  expect(new Set(bench.shim.log.map(({ session }) => session)).size).toBeGreaterThan(1)
})
