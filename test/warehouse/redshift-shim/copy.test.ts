import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { errorOf, shimBench } from './shim.js'

const bench = shimBench()
const ROLE = `IAM_ROLE 'arn:aws:iam::123456789012:role/load'`
let client: pg.Client

beforeAll(async () => {
  client = await bench.connect()
  await client.query(
    'CREATE TABLE t (k varchar(5), n bigint, at timestamptz, d double precision, b varbyte(8), x boolean)',
  )
})
beforeEach(() => client.query('DELETE FROM t'))

const copy = (url: string, options = '', columns = '(k, n)') =>
  client.query(`COPY t ${columns} FROM '${url}' ${ROLE} MANIFEST FORMAT AS CSV GZIP ${options}`)

const rows = async (columns = 'k, n::varchar') =>
  (await client.query({ text: `SELECT ${columns} FROM t ORDER BY 1`, rowMode: 'array' })).rows

const lastError = async () => {
  const { rows } = await client.query('SELECT * FROM stl_load_errors ORDER BY starttime DESC LIMIT 1')
  return rows[0]
}

describe('manifest', () => {
  it('files are loaded, and pg_last_copy_count() says how many rows', async () => {
    const { command } = await copy(bench.manifest('two', { a: 'a,1\nb,2\n', b: 'c,3\n' }))
    expect(command).toBe('COPY')
    expect(await rows()).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ])
    expect((await client.query('SELECT pg_last_copy_count()::int AS n')).rows).toEqual([{ n: 3 }])
  })

  it('a missing file that is not mandatory is skipped in silence', async () => {
    await copy(bench.manifest('optional', { a: 'a,1\n', b: undefined }, false))
    expect((await client.query('SELECT pg_last_copy_count()::int AS n')).rows).toEqual([{ n: 1 }])
  })

  it('a missing file that is mandatory is an error', async () => {
    const thrown = await errorOf(copy(bench.manifest('mandatory', { a: 'a,1\n', b: undefined })))
    expect(thrown.message).toMatch(/^S3ServiceException:The specified key does not exist/)
    expect(await rows()).toEqual([])
  })

  it('a missing manifest is an error, and fails the transaction', async () => {
    await client.query('BEGIN')
    expect((await errorOf(copy('s3://load/none'))).message).toMatch(/NoSuchKey/)
    expect((await errorOf(client.query('SELECT 1'))).code).toBe('25P02')
    await client.query('ROLLBACK')
  })
})

it('COPY gets in with keys, too', async () => {
  const url = bench.manifest('keys', { a: 'a,1\n' })
  const keys = "ACCESS_KEY_ID 'id' SECRET_ACCESS_KEY 'secret' SESSION_TOKEN 'token'"
  await client.query(`COPY t (k, n) FROM '${url}' ${keys} MANIFEST CSV GZIP`)
  expect(await rows()).toEqual([['a', '1']])
})

describe('fields', () => {
  it('quotes hold delimiters, line ends, quotes and backslashes', async () => {
    await copy(bench.manifest('quotes', { a: '"a,b",1\n"c\nd",2\n"e""f",3\n"g\\h",4\n"i\tj",5\n' }))
    expect((await rows()).map(([k]) => k)).toEqual(['a,b', 'c\nd', 'e"f', 'g\\h', 'i\tj'])
  })

  it('an empty field is an empty text, and NULL in other types', async () => {
    await copy(bench.manifest('empty', { a: ',\n' }))
    expect(await rows()).toEqual([['', null]])
  })

  it.each([
    ['EMPTYASNULL', ',1\n'],
    ["NULL AS ''", ',1\n'],
    ["NULL AS '@'", '"@",1\n'],
    ['BLANKSASNULL', '  ,1\n'],
    ['', '\\N,1\n'],
  ])('NULL by %s', async (option, text) => {
    await copy(bench.manifest('nulls', { a: text }), option)
    expect(await rows()).toEqual([[null, '1']])
  })

  it('TIMEFORMAT decides what a time looks like', async () => {
    const iso = bench.manifest('iso', { a: '2026-11-24T01:02:03.456Z\n' })
    expect((await errorOf(copy(iso, '', '(at)'))).message).toMatch(/Load into table 't' failed/)
    expect((await lastError()).err_reason).toMatch(/^Invalid timestamp format or value/)
    await copy(iso, "TIMEFORMAT 'auto'", '(at)')
    await copy(bench.manifest('epoch', { a: '-1\n' }), "TIMEFORMAT AS 'epochmillisecs'", '(at)')
    await copy(bench.manifest('plain', { a: '2026-11-24 01:02:03\n' }), '', '(at)')
    expect((await rows('extract(epoch FROM at)::float8')).flat()).toEqual([-0.001, 1795482123, 1795482123.456])
  })

  it('VARBYTE is hexadecimal', async () => {
    await copy(bench.manifest('bytes', { a: '00ff\n' }), '', '(b)')
    expect(await rows('b')).toEqual([[Buffer.from([0, 255])]])
  })
})

describe('wrong rows', () => {
  it('more bytes than the column has: the load fails, and stl_load_errors says why', async () => {
    const thrown = await errorOf(copy(bench.manifest('long', { a: 'ok,1\nééé,2\n' })))
    expect(thrown).toMatchObject({
      code: 'XX000',
      message: "Load into table 't' failed.  Check 'stl_load_errors' system table for details.",
    })
    expect(await lastError()).toMatchObject({
      colname: 'k',
      line_number: '2',
      raw_field_value: 'ééé',
      err_reason: 'String length exceeds DDL length',
    })
    expect(await rows()).toEqual([])
  })

  it('TRUNCATECOLUMNS cuts between characters', async () => {
    await copy(bench.manifest('cut', { a: 'ééé,1\n😀😀,2\n' }), 'TRUNCATECOLUMNS')
    expect((await rows()).map(([k]) => k).sort()).toEqual(['éé', '😀'])
  })

  it('what PostgreSQL refuses is named by line and column', async () => {
    await errorOf(copy(bench.manifest('number', { a: 'a,1\nb,2\nc,x\n' })))
    expect(await lastError()).toMatchObject({ colname: 'n', line_number: '3', raw_field_value: 'x' })
  })

  it('MAXERROR leaves out as many', async () => {
    const url = bench.manifest('max', { a: 'a,1\nb,x\ntoolong,3\nd,4\n' })
    await errorOf(copy(url, 'MAXERROR 1'))
    await client.query('BEGIN')
    await copy(url, 'MAXERROR AS 2')
    await client.query('COMMIT')
    expect((await rows()).map(([k]) => k)).toEqual(['a', 'd'])
  })

  it.each([
    ['too few fields', 'a\n', 'Delimiter not found'],
    ['too many fields', 'a,1,2\n', 'Extra column(s) found'],
    ['a row over 4 MB', `"${'x'.repeat(4 * 1024 * 1024)}",1\n`, 'Row size exceeds 4MB'],
  ])('%s', async (_, text, reason) => {
    await errorOf(copy(bench.manifest('wrong', { a: text })))
    expect((await lastError()).err_reason).toBe(reason)
  })
})

it.each([
  [
    "COPY t FROM 's3://load/none' MANIFEST CSV",
    'COPY needs credentials: IAM_ROLE, CREDENTIALS, or ACCESS_KEY_ID and SECRET_ACCESS_KEY',
  ],
  [`COPY t FROM 's3://load/none' ${ROLE} MANIFEST CSV SIDEWAYS`, 'syntax error at or near "SIDEWAYS"'],
  [`COPY nowhere FROM 's3://load/none' ${ROLE} MANIFEST CSV`, 'Cannot COPY into nonexistent table nowhere'],
])('refused: %s', async (sql, message) => {
  expect((await errorOf(client.query(sql))).message).toBe(message)
})
