import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Column, ColumnType } from '../../../src/model/column.js'
import type { TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { type PostgresService, postgresAvailable, startPostgres } from '../../services/postgres.js'
import { flushOf, identityOf } from '../warehouse-contract.js'

const column = (name: string, type: ColumnType, nullable = false): Column => ({ name, type, nullable })

function splitTable(name: string): TableSpec {
  return {
    name,
    columns: [
      column('quest_type', 'text'),
      column('window_start', 'timestamp'),
      column('window_end', 'timestamp'),
      column('events', 'long'),
      column('gold', 'long', true),
    ],
    key: ['quest_type', 'window_start', 'window_end'],
    sortKey: ['window_start'],
    split: true,
    views: [
      {
        kind: 'coarser',
        name: `${name}_hour`,
        size: 3_600_000,
        groupBy: ['quest_type'],
        windowStart: 'window_start',
        windowEnd: 'window_end',
        measures: [{ column: 'events', by: 'sum' }],
      },
    ],
  }
}

describe.skipIf(postgresAvailable() !== undefined)('views in PostgreSQL', () => {
  let server: PostgresService
  let admin: pg.Client
  let warehouse: Warehouse
  beforeAll(async () => {
    server = await startPostgres()
    admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    warehouse = postgresWarehouse({ url: server.url })
  })
  afterAll(async () => {
    await warehouse?.close()
    await admin?.end()
    await server?.stop()
  })
  const idOf = async (name: string) => (await admin.query(`SELECT '${name}'::regclass::oid AS id`)).rows[0].id
  const refusal = (table: TableSpec) =>
    warehouse.prepare(table).then(
      () => 'prepared',
      thrown => `${thrown.code}: ${thrown.message}`,
    )

  it('stay as they are, with their grants and readers, when a column is added', async () => {
    const table = splitTable('growing')
    await warehouse.prepare(table)
    await admin.query(
      'CREATE ROLE analyst; GRANT SELECT ON growing TO analyst; CREATE VIEW report AS SELECT * FROM growing',
    )
    const before = await idOf('growing')
    const wider = {
      ...table,
      columns: [...table.columns.slice(0, 4), column('slowest', 'long', true), column('gold', 'long', true)],
    }
    await warehouse.prepare(wider)
    const { rows } = await admin.query(
      `SELECT attname FROM pg_attribute WHERE attrelid = 'growing'::regclass AND attnum > 0 ORDER BY attnum`,
    )
    expect(rows.map(({ attname }) => attname)).toEqual([
      'quest_type',
      'window_start',
      'window_end',
      'events',
      'gold',
      'slowest',
    ])
    expect(await idOf('growing')).toBe(before)
    const granted = await admin.query(`SELECT has_table_privilege('analyst', 'growing', 'SELECT') AS may`)
    expect(granted.rows).toEqual([{ may: true }])
  })

  it('are not touched when nothing changed', async () => {
    const table = splitTable('quiet')
    await warehouse.prepare(table)
    const versions = () =>
      admin.query(`SELECT relname, xmin::text FROM pg_class WHERE relname LIKE 'quiet%' ORDER BY 1`)
    const before = (await versions()).rows
    await warehouse.prepare(table)
    expect((await versions()).rows).toEqual(before)
    expect(before.length).toBeGreaterThanOrEqual(4)
  })

  it('name the views that read one which is to lose a column, and change nothing', async () => {
    const table = splitTable('read')
    await warehouse.prepare(table)
    await admin.query('CREATE VIEW "Their report" AS SELECT gold FROM read')
    const narrower = { ...table, columns: table.columns.slice(0, 4) }
    expect(await refusal(narrower)).toMatch(
      /^WAREHOUSE_TABLE: The view "public"\."read" loses a column.* other views read it: public\."Their report"\. Drop them/,
    )
    expect((await admin.query('SELECT gold FROM "Their report"')).rows).toEqual([])
    await admin.query('DROP VIEW "Their report"')
    expect(await refusal(narrower)).toBe('prepared')
  })

  it('leave views and tables of others alone', async () => {
    await admin.query('CREATE VIEW taken AS SELECT 1 AS one; CREATE TABLE also_taken_hour (one integer)')
    expect(await refusal(splitTable('taken'))).toMatch(/^WAREHOUSE_TABLE: .*"taken".*a view that Millrace did not make/)
    expect(await refusal(splitTable('also_taken'))).toMatch(
      /^WAREHOUSE_TABLE: .*"also_taken_hour".*a table or another relation/,
    )
    expect((await admin.query('SELECT one FROM taken')).rows).toEqual([{ one: 1 }])
    expect((await admin.query(`SELECT to_regclass('taken_open') AS id`)).rows).toEqual([{ id: null }])
  })

  it('belong to tables that are rebuilt when one of the two was dropped', async () => {
    const table = splitTable('dropped')
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(7, []))
    expect((await warehouse.openSink(identityOf(table))).nextOffset).toBe(7)
    await admin.query('DROP TABLE dropped_closed CASCADE')
    await expect(warehouse.openSink(identityOf(table))).rejects.toMatchObject({ code: 'WAREHOUSE_TABLE' })
    await warehouse.prepare(table)
    const again = await warehouse.openSink(identityOf(table))
    expect([again.nextOffset, again.rebuild]).toEqual([0, true])
  })

  it('find a key of both tables by an index', async () => {
    await warehouse.prepare(splitTable('indexed'))
    const { rows } = await admin.query(
      `SELECT tablename, indexdef FROM pg_indexes WHERE tablename IN ('indexed_open', 'indexed_closed') ORDER BY 1`,
    )
    expect(rows.map(({ tablename }) => tablename)).toEqual(['indexed_closed', 'indexed_open'])
    for (const { indexdef } of rows) expect(indexdef).toMatch(/UNIQUE.*\(window_start, quest_type, window_end\)/)
  })
})
