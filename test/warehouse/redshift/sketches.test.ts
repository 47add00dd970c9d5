import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { distinctSketch } from '../../../src/aggregates/distinct-sketch.js'
import type { TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { ANYWHERE } from '../../aggregates/laws.js'
import { postgresAvailable } from '../../services/postgres.js'
import { bucketRows, bucketTable, bucketView, expectQuantiles, VIEW_COLUMNS } from '../sql/bucket-groups.js'
import { allRows, flushOf, identityOf } from '../warehouse-contract.js'
import { AWS_KEYS, type RedshiftService, startRedshift } from './redshift-service.js'

describe.skipIf(postgresAvailable() !== undefined)('sketches in Redshift', () => {
  let service: RedshiftService
  let warehouse: Warehouse
  beforeAll(async () => {
    for (const [name, value] of Object.entries(AWS_KEYS)) vi.stubEnv(name, value)
    service = await startRedshift()
    warehouse = service.connect()
  })
  afterAll(async () => {
    await service?.stop()
    vi.unstubAllEnvs()
  })

  it('of distinct values come back as they were, in a column as long as they get', async () => {
    const aggregation = distinctSketch<{ id: number }>('id').resolve('long')
    const { maxBytes } = aggregation as { maxBytes: number }
    const table: TableSpec = {
      name: 'players',
      columns: [
        { name: 'n', type: 'int', nullable: false },
        { name: 'players', type: 'bytes', nullable: false, maxBytes },
      ],
      key: ['n'],
      sortKey: [],
    }
    await warehouse.prepare(table)
    const rows = [0, 3, 511, 60_000].map(count => {
      let state = aggregation.zero()
      for (let id = 0; id < count; id++) state = aggregation.add(state, id, ANYWHERE)
      return [count, aggregation.result(state) as Buffer]
    })
    await (await warehouse.openSink(identityOf(table))).flush(flushOf(1, rows))
    expect((await allRows(warehouse, table)).sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(rows)
    expect(service.shim.log.map(({ sql }) => sql).join('\n')).toMatch(/"players" varbyte\(4160\) NOT NULL/i)
  })

  it('of buckets answer quantiles within the accuracy', async () => {
    const table = { ...bucketTable, views: [bucketView] }
    await warehouse.prepare(table)
    await (await warehouse.openSink(identityOf(table))).flush(flushOf(1, bucketRows()))
    const client = new pg.Client({ connectionString: service.shim.url })
    await client.connect()
    try {
      const columns = VIEW_COLUMNS.map(name => `"${name}"`).join(', ')
      expectQuantiles((await client.query({ text: `SELECT ${columns} FROM bucket_quantiles`, rowMode: 'array' })).rows)
    } finally {
      await client.end()
    }
  })
})
