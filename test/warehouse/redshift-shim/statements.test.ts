import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf, shimBench } from './shim.js'

const bench = shimBench()
let client: pg.Client

beforeAll(async () => {
  client = await bench.connect()
  await client.query('CREATE TABLE t (k varchar(20) NOT NULL, n bigint)')
  await client.query('CREATE TABLE s (k varchar(20) NOT NULL, n bigint)')
})

const rows = async (table: string) =>
  (await client.query({ text: `SELECT k, n::varchar FROM ${table} ORDER BY 1, 2`, rowMode: 'array' })).rows

const fill = async (table: string, values: string) => {
  await client.query(`DELETE FROM ${table}`)
  await client.query(`INSERT INTO ${table} VALUES ${values}`)
}

describe('what Redshift does not have is refused', () => {
  it.each([
    ['INSERT INTO t VALUES (1, 2) ON CONFLICT DO NOTHING', '42601', 'syntax error at or near "ON"'],
    ['INSERT INTO t VALUES (1, 2) RETURNING k', '42601', 'syntax error at or near "RETURNING"'],
    ['COPY t FROM STDIN', '0A000', 'COPY FROM STDIN is not supported'],
    ['CREATE INDEX i ON t (k)', '0A000', 'SQL command "CREATE INDEX" is not supported'],
    ['CREATE UNIQUE INDEX i ON t (k)', '0A000', 'SQL command "CREATE UNIQUE INDEX" is not supported'],
    ['SAVEPOINT a', '0A000', 'SQL command "SAVEPOINT" is not supported'],
    ["SELECT * FROM unnest('{a}') AS x", '42883', 'function unnest() does not exist'],
    ['SELECT pg_advisory_xact_lock(1)', '42883', 'function pg_advisory_xact_lock() does not exist'],
    ['SELECT k::jsonb FROM t', '42704', 'type "jsonb" does not exist'],
    ['SELECT k::text[] FROM t', '42704', 'type "text[]" does not exist'],
    ['SELECT ARRAY[1, 2]', '42601', 'syntax error at or near "["'],
    ['SELECT k FROM t FOR UPDATE', '0A000', 'FOR UPDATE is not supported'],
    ['DELETE FROM t AS x WHERE x.n = 1', '42601', 'syntax error at or near "AS"'],
    ['SELECT 1 FROM t WHERE k IS NOT DISTINCT FROM k', '42601', 'syntax error at or near "IS"'],
    ['WITH d AS (DELETE FROM t WHERE n = 1) SELECT 1', '42601', 'syntax error at or near "DELETE"'],
    ['CREATE TEMPORARY TABLE x (k int) ON COMMIT DROP', '42601', 'syntax error at or near "ON"'],
    ["SET lock_timeout = '1s'", '42704', 'unrecognized configuration parameter "lock_timeout"'],
    ["SELECT set_config('idle_in_transaction_session_timeout', '1', true)", '42704', /unrecognized/],
    ['INSERT INTO t SELECT g, g FROM generate_series(1, 3) AS g', '0A000', /not supported on Redshift tables/],
    ['LOCK TABLE t IN EXCLUSIVE MODE', '42601', 'syntax error at or near "IN"'],
  ])('%s', async (sql, code, message) => {
    const thrown = await errorOf(client.query(sql))
    expect(thrown.code).toBe(code)
    expect(thrown.message).toMatch(message)
  })

  it('a refused statement fails its transaction, as every error does', async () => {
    await client.query('BEGIN')
    await errorOf(client.query('SAVEPOINT a'))
    expect((await errorOf(client.query('SELECT 1'))).code).toBe('25P02')
    await client.query('ROLLBACK')
    expect((await client.query('SELECT 1 AS x')).rows).toEqual([{ x: 1 }])
  })

  it('words in strings, quoted names and comments mean nothing', async () => {
    const { rows } = await client.query(`SELECT 'a returning b' AS "on conflict" -- unnest(
      /* savepoint */`)
    expect(rows).toEqual([{ 'on conflict': 'a returning b' }])
  })

  it('a statement over 16 MB', async () => {
    const sql = `SELECT '${'x'.repeat(16 * 1024 * 1024)}'`
    expect((await errorOf(client.query(sql))).message).toMatch(/^Statement is too large/)
    expect((await client.query(sql.replace('xxxxxxxxxxxxxxxx', ''))).rowCount).toBe(1)
  })
})

it('a backslash escapes in a string', async () => {
  expect((await client.query(String.raw`SELECT 'a\\b\'c' AS x`)).rows).toEqual([{ x: "a\\b'c" }])
})

it('SET takes settings of Redshift', async () => {
  await client.query("SET query_group TO 'millrace'")
  await client.query('SET statement_timeout TO 60000')
  expect((await client.query('SHOW statement_timeout')).rows).toEqual([{ statement_timeout: '1min' }])
})

it('version() and server_version are those of Redshift', async () => {
  const { rows } = await client.query('SELECT version()')
  expect(rows[0].version).toMatch(/^PostgreSQL 8\.0\.2 on .*, Redshift 1\.0\.\d+$/)
})

describe('MERGE', () => {
  const MATCH = 'MERGE INTO t USING s ON t.k = s.k'

  it('updates what matches and inserts the rest', async () => {
    await fill('t', "('a', 1), ('b', 2)")
    await fill('s', "('b', 20), ('c', 30)")
    const { command } = await client.query(
      `${MATCH} WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (k, n) VALUES (s.k, s.n)`,
    )
    expect(command).toBe('MERGE')
    expect(await rows('t')).toEqual([
      ['a', '1'],
      ['b', '20'],
      ['c', '30'],
    ])
  })

  it('REMOVE DUPLICATES replaces rows, and keeps one of equal ones', async () => {
    await fill('t', "('a', 1), ('b', 2)")
    await fill('s', "('b', 20), ('c', 30), ('c', 30)")
    await client.query(`${MATCH} REMOVE DUPLICATES`)
    expect(await rows('t')).toEqual([
      ['a', '1'],
      ['b', '20'],
      ['c', '30'],
    ])
  })

  it('two rows of the source for one of the target are an error', async () => {
    await fill('t', "('b', 2)")
    await fill('s', "('b', 20), ('b', 21)")
    const merge = `${MATCH} WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.n)`
    expect((await errorOf(client.query(merge))).message).toBe('Found multiple matches to update the same tuple.')
  })

  it.each([
    ['USING (SELECT * FROM s) AS s ON t.k = s.k REMOVE DUPLICATES', 'near "("'],
    [
      'USING s ON t.k = s.k WHEN MATCHED AND t.n < 1 THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.n)',
      'near "AND"',
    ],
    ['USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET n = s.n', 'end of input'],
    ['USING s ON t.k = s.k WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.n)', 'near ")"'],
    ['AS x USING s ON x.k = s.k REMOVE DUPLICATES', 'near "AS"'],
  ])('refused: MERGE INTO t %s', async (rest, message) => {
    const thrown = await errorOf(client.query(`MERGE INTO t ${rest}`))
    expect(thrown).toMatchObject({ code: '42601', message: expect.stringContaining(message) })
  })

  it('NULL keys never match', async () => {
    await client.query('CREATE TABLE nulls (k varchar(20), n bigint)')
    await client.query('CREATE TEMPORARY TABLE stage (LIKE nulls)')
    await client.query('INSERT INTO nulls VALUES (NULL, 1)')
    await client.query('INSERT INTO stage VALUES (NULL, 2)')
    await client.query('MERGE INTO nulls USING stage ON nulls.k = stage.k REMOVE DUPLICATES')
    expect((await client.query('SELECT count(*)::int AS n FROM nulls')).rows).toEqual([{ n: 2 }])
  })
})

describe('transactions', () => {
  it('TRUNCATE commits', async () => {
    await fill('t', "('a', 1)")
    await client.query('BEGIN')
    await client.query("INSERT INTO s VALUES ('kept', 1)")
    await client.query('TRUNCATE t')
    await client.query('ROLLBACK')
    expect(await rows('t')).toEqual([])
    expect(await rows('s')).toContainEqual(['kept', '1'])
  })

  it('two that read what the other writes: the second fails with 1023', async () => {
    const other = await bench.connect()
    for (const each of [client, other]) await each.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    for (const each of [client, other]) await each.query('SELECT sum(n) FROM t')
    await client.query("INSERT INTO t VALUES ('x', 1)")
    await client.query('COMMIT')
    const write = async () => {
      await other.query("INSERT INTO t VALUES ('y', 1)")
      await other.query('COMMIT')
    }
    const thrown = await errorOf(write())
    expect(thrown).toMatchObject({ code: 'XX000', message: '1023' })
    expect(thrown.detail).toMatch(/^Serializable isolation violation on table/)
    await other.query('ROLLBACK')
  })

  it('LOCK as the first statement leaves no conflict', async () => {
    const other = await bench.connect()
    for (const each of [client, other]) await each.query('BEGIN')
    await client.query('LOCK t')
    const locked = other.query('LOCK t')
    await client.query('UPDATE t SET n = 5')
    await client.query('COMMIT')
    await locked
    await other.query('UPDATE t SET n = 6')
    await other.query('COMMIT')
    expect((await client.query('SELECT DISTINCT n::int AS n FROM t')).rows).toEqual([{ n: 6 }])
  })
})

describe('cursors', () => {
  it('one at a time in a transaction', async () => {
    await client.query('BEGIN READ ONLY')
    await client.query('DECLARE c CURSOR FOR SELECT k FROM t')
    expect((await client.query('FETCH FORWARD 10 FROM c')).rows).toEqual([{ k: 'x' }])
    expect((await errorOf(client.query('DECLARE d CURSOR FOR SELECT 1'))).message).toMatch(/only one cursor at a time/)
    await client.query('ROLLBACK')
  })

  it.each(['DECLARE c NO SCROLL CURSOR FOR SELECT 1', 'FETCH 10 FROM c'])('refused: %s', async sql => {
    expect((await errorOf(client.query(sql))).code).toBe('42601')
  })
})
