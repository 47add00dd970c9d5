import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf, shimBench } from './shim.js'

const bench = shimBench()
let client: pg.Client

beforeAll(async () => {
  client = await bench.connect()
})

it('CREATE TABLE takes the attributes of Redshift, and keys that nobody enforces', async () => {
  await client.query(`CREATE TABLE IF NOT EXISTS a (
      quest varchar(64) ENCODE zstd NOT NULL DISTKEY, at timestamptz NOT NULL SORTKEY, n bigint, b varbyte(100),
      PRIMARY KEY (quest, at), UNIQUE (n))`)
  await client.query(
    'CREATE TABLE b (k int PRIMARY KEY, v int) DISTSTYLE KEY DISTKEY (k) COMPOUND SORTKEY (k, v) ENCODE AUTO',
  )
  await client.query('INSERT INTO b VALUES (1, 1), (1, 2)')
  expect((await client.query('SELECT count(*)::int AS n FROM b')).rows).toEqual([{ n: 2 }])
  expect((await errorOf(client.query('INSERT INTO b VALUES (NULL, 1)'))).code).toBe('23502')
})

it('VARCHAR(n) holds n bytes, in temporary tables and copies of tables too', async () => {
  await client.query('CREATE TABLE bytes (k varchar(4))')
  await client.query('CREATE TEMPORARY TABLE same (LIKE bytes)')
  for (const table of ['bytes', 'same']) {
    await client.query(`INSERT INTO ${table} VALUES ('abcd'), ('éé')`)
    for (const text of ['abcde', 'ééé', '😀a']) {
      const thrown = await errorOf(client.query(`INSERT INTO ${table} VALUES ('${text}')`))
      expect(thrown).toMatchObject({ code: '22001', message: 'value too long for type character varying(4)' })
    }
  }
})

it('TEXT and VARCHAR without a length have 256 bytes, VARCHAR(MAX) 65,535', async () => {
  await client.query('CREATE TABLE texts (a text, b varchar, c varchar(max))')
  const { rows } = await client.query(
    `SELECT "column", type FROM pg_table_def WHERE tablename = 'texts' ORDER BY "column"`,
  )
  expect(rows.map(({ type }) => type)).toEqual([
    'character varying(256)',
    'character varying(256)',
    'character varying(65535)',
  ])
  expect((await errorOf(client.query('CREATE TABLE x (a varchar(70000))'))).message).toMatch(/cannot exceed 65535/)
})

it.each([
  ['jsonb', 'Column "a" has unsupported type "jsonb".'],
  ['uuid', 'Column "a" has unsupported type "uuid".'],
  ['text[]', 'Column "a" has unsupported type "text[]".'],
  ['bytea', 'Column "a" has unsupported type "bytea".'],
  ['super', 'the Redshift shim of the tests does not have the type SUPER is not supported'],
])('a column of type %s is refused', async (type, message) => {
  const thrown = await errorOf(client.query(`CREATE TABLE x (a ${type})`))
  expect(thrown.code).toBe('0A000')
  expect(message).toContain(thrown.message)
})

it.each([
  ['CREATE TABLE x (a int CHECK (a > 0))', '0A000'],
  ['CREATE TABLE x (a int) WITH (fillfactor = 50)', '42601'],
  ['CREATE TABLE x (tag int)', '42601'],
  ['CREATE TABLE x (a int UNIQUE NULLS NOT DISTINCT)', '42601'],
])('refused: %s', async (sql, code) => {
  expect((await errorOf(client.query(sql))).code).toBe(code)
})

describe('names', () => {
  it('are folded to lower case, in quotes too', async () => {
    await client.query('CREATE TABLE "Names" ("Quest Type" int, "tag" int)')
    expect((await client.query('SELECT "QUEST TYPE", 1 AS "Big" FROM names')).fields.map(({ name }) => name)).toEqual([
      'quest type',
      'big',
    ])
  })

  it('have up to 127 bytes; the shim says that it keeps 63', async () => {
    expect((await errorOf(client.query(`SELECT 1 AS ${'x'.repeat(128)}`))).message).toMatch(/maximum is 127 bytes/)
    expect((await errorOf(client.query(`SELECT 1 AS ${'x'.repeat(64)}`))).message).toMatch(/^the Redshift shim/)
    expect((await client.query(`SELECT 1 AS ${'x'.repeat(63)}`)).rowCount).toBe(1)
  })
})

describe('ALTER TABLE', () => {
  beforeAll(async () => {
    await client.query('CREATE TABLE c (k varchar(4))')
  })

  it('adds one column at a time', async () => {
    expect((await errorOf(client.query('ALTER TABLE c ADD COLUMN a int, ADD COLUMN b int'))).code).toBe('42601')
    await client.query('ALTER TABLE c ADD COLUMN a varchar(3) ENCODE zstd')
    expect((await errorOf(client.query("INSERT INTO c VALUES ('k', 'éé')"))).code).toBe('22001')
    expect((await errorOf(client.query('ALTER TABLE c ADD COLUMN IF NOT EXISTS a int'))).code).toBe('42601')
  })

  it('changes the length of a VARCHAR outside of a transaction', async () => {
    await client.query('BEGIN')
    expect((await errorOf(client.query('ALTER TABLE c ALTER COLUMN k TYPE varchar(8)'))).code).toBe('25001')
    await client.query('ROLLBACK')
    await client.query('ALTER TABLE c ALTER COLUMN k TYPE varchar(8)')
    await client.query("INSERT INTO c (k) VALUES ('12345678')")
    expect((await errorOf(client.query("INSERT INTO c (k) VALUES ('123456789')"))).message).toMatch(/varying\(8\)/)
    expect((await errorOf(client.query('ALTER TABLE c ALTER COLUMN k TYPE int'))).code).toBe('0A000')
  })
})
