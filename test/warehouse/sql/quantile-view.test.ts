import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { memoryWarehouse } from '../../../src/warehouse/memory/memory-warehouse.js'
import { postgresViews } from '../../../src/warehouse/sql/postgres-views.js'
import { quantileView } from '../../../src/warehouse/sql/quantile-view.js'
import { flushOf, identityOf } from '../warehouse-contract.js'
import { bucketRows, bucketTable, bucketView, expectQuantiles, VIEW_COLUMNS } from './bucket-groups.js'

const SELECT = quantileView(postgresViews, bucketView, 'bucket_counts').select(VIEW_COLUMNS)
const CREATE = 'CREATE TEMPORARY TABLE bucket_counts (game integer, total text, bucket integer, events bigint)'
const INSERT = `INSERT INTO bucket_counts VALUES ${bucketRows()
  .map(([game, total, bucket, events]) => `(${game}, '${total}', ${bucket}, ${events})`)
  .join(', ')}`
const GLOBAL = quantileView(postgresViews, { ...bucketView, groupBy: [] }, 'bucket_counts').select(['events', 'p50'])

describe('quantileView in PGlite', () => {
  const database = new PGlite()
  beforeAll(async () => {
    await database.exec(CREATE)
  }, 60_000)
  afterAll(() => database.close())
  const rowsOf = async (sql: string) => (await database.query<never[]>(sql, [], { rowMode: 'array' })).rows

  it('has no row where nothing was counted, with groups and without', async () => {
    expect(await rowsOf(SELECT)).toEqual([])
    expect(await rowsOf(GLOBAL)).toEqual([])
  })

  it('answers quantiles within the accuracy', async () => {
    await database.exec(INSERT)
    expectQuantiles(await rowsOf(SELECT))
  })

  it('answers one row for a table that has no other key', async () => {
    const [row, ...others] = await rowsOf(GLOBAL)
    expect(others).toEqual([])
    expect(row?.[0]).toBe(bucketRows().reduce((sum, [, , , events]) => sum + Number(events), 0))
  })
})

const url = inject('postgres')

describe.skipIf(url === undefined)('quantileView in PostgreSQL', () => {
  it('answers quantiles within the accuracy', async () => {
    const client = new pg.Client({ connectionString: url as string })
    await client.connect()
    try {
      await client.query(CREATE)
      await client.query(INSERT)
      const { rows } = await client.query({ text: SELECT, rowMode: 'array' })
      expectQuantiles(rows)
    } finally {
      await client.end()
    }
  })
})

describe('the quantile view of the memory warehouse', () => {
  it('answers quantiles within the accuracy', async () => {
    const table = { ...bucketTable, views: [bucketView] }
    const warehouse = memoryWarehouse()
    await warehouse.prepare(table)
    await (await warehouse.openSink(identityOf(table))).flush(flushOf(1, bucketRows()))
    const columns = VIEW_COLUMNS.map(name => ({ name, type: 'double' as const, nullable: true }))
    const rows = []
    for await (const row of warehouse.rows({ ...table, name: bucketView.name, columns })) rows.push(row)
    expectQuantiles(rows)
    await warehouse.close()
  })
})
