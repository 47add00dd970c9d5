import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { postgresAvailable } from '../../services/postgres.js'
import { allRows, flushOf, identityOf, NOW, questTable } from '../warehouse-contract.js'
import { AWS_KEYS, type RedshiftService, startRedshift } from './redshift-service.js'

describe.skipIf(postgresAvailable() !== undefined)('tables in Redshift', () => {
  let service: RedshiftService
  let warehouse: Warehouse
  let admin: pg.Client
  beforeAll(async () => {
    for (const [name, value] of Object.entries(AWS_KEYS)) vi.stubEnv(name, value)
    service = await startRedshift()
    warehouse = service.connect()
    admin = new pg.Client({ connectionString: service.shim.url })
    await admin.connect()
  })
  afterAll(async () => {
    await admin?.end()
    await service?.stop()
    vi.unstubAllEnvs()
  })
  const refusal = (table: TableSpec) =>
    warehouse.prepare(table).then(
      () => 'prepared',
      thrown => thrown.message as string,
    )
  const created = (name: string) =>
    service.shim.log.map(({ sql }) => sql).filter(sql => sql.startsWith(`CREATE TABLE "public"."${name}"`))

  it('are laid out as their sink says, else as Redshift finds best', async () => {
    await warehouse.prepare(questTable('automatic'))
    await warehouse.prepare({ ...questTable('laid_out'), sortKey: ['window_start'], distKey: 'quest_type' })
    expect(created('automatic')).toEqual([
      'CREATE TABLE "public"."automatic" ("quest_type" character varying(256) NOT NULL, ' +
        '"window_start" timestamp without time zone NOT NULL, "events" bigint NOT NULL, "gold" bigint, ' +
        'PRIMARY KEY ("quest_type", "window_start")) DISTSTYLE AUTO SORTKEY AUTO',
    ])
    expect(created('laid_out')[0]).toMatch(
      /DISTSTYLE KEY DISTKEY \("quest_type"\) COMPOUND SORTKEY \("window_start"\)$/,
    )
  })

  it('of somebody else are used when they fit: more columns, another order, longer text', async () => {
    await admin.query(`CREATE TABLE fitting (note VARCHAR(9), gold BIGINT, events BIGINT NOT NULL, made TIMESTAMP NOT NULL
      DEFAULT getdate(), window_start TIMESTAMP NOT NULL, quest_type VARCHAR(MAX) NOT NULL)`)
    const table = questTable('fitting')
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(1, [['a', new Date(NOW), 1, null]]))
    await admin.query(`UPDATE fitting SET note = 'kept'`)
    await sink.flush(flushOf(2, [['a', new Date(NOW), 2, 3]]))
    expect((await admin.query('SELECT note, events FROM fitting')).rows).toEqual([{ note: 'kept', events: '2' }])
  })

  it('of somebody else are refused with what to do', async () => {
    await admin.query(`CREATE TABLE unfit (quest_type VARCHAR(8) NOT NULL, window_start TIMESTAMPTZ NOT NULL,
      events BIGINT, gold BIGINT NOT NULL, other BIGINT NOT NULL)`)
    const message = await refusal(questTable('unfit'))
    expect(message).toMatch(
      /character varying\(8\), which is shorter .* ALTER COLUMN "quest_type" TYPE character varying\(256\)/,
    )
    expect(message).toMatch(/"window_start" has type timestamp with time zone, not timestamp without time zone/)
    expect(message).toMatch(/"gold" is NOT NULL, but its values may be null/)
    expect(message).toMatch(/"other" is not among .* DROP COLUMN "other"/)
    expect(message).not.toMatch(/"events"/)
    await admin.query('CREATE VIEW viewed AS SELECT 1 AS one')
    expect(await refusal(questTable('viewed'))).toMatch(/is no table, but a view/)
  })

  it('of ours are refused for another key', async () => {
    const table = questTable('keyed')
    await warehouse.prepare(table)
    expect(await refusal({ ...table, key: ['quest_type'] })).toMatch(
      /is quest_type, window_start, not quest_type: create/,
    )
  })

  it('cannot have columns of one name in lower case, texts that are too long, or the name of a stage', async () => {
    const { columns, ...rest } = questTable('impossible')
    const text = { type: 'text', nullable: true } as const
    const twice = {
      ...rest,
      columns: [...columns, { name: 'Gold', ...text }, { name: 'x', maxBytes: 70_000, ...text }],
    }
    expect(await refusal(twice)).toMatch(
      /"gold" and "Gold" have one name.*"x" has maxBytes 70000; Redshift takes 1 to 65535/,
    )
    expect(await refusal(questTable('public.Millrace_Upserts'))).toMatch(/temporary table of each flush/)
  })

  it('stand in a schema that is created only where it is missing, since that wants a right', async () => {
    await admin.query('CREATE SCHEMA made')
    for (const schema of ['made', 'missing']) {
      const table = questTable(`${schema}.quests`)
      await warehouse.prepare(table)
      expect(await allRows(warehouse, table)).toEqual([])
    }
    const schemas = service.shim.log.map(({ sql }) => sql).filter(sql => sql.startsWith('CREATE SCHEMA IF'))
    expect(schemas).toEqual(['CREATE SCHEMA IF NOT EXISTS "missing"'])
  })

  it('are in Redshift only', async () => {
    const other = service.connect({ url: service.postgres.url })
    await expect(other.prepare(questTable('elsewhere'))).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringMatching(/is no Redshift: PostgreSQL .*Use postgres:/),
    })
  })

  it('survive that the columns of their views change', async () => {
    const hour = {
      kind: 'coarser',
      name: 'viewed_hour',
      size: 3_600_000,
      groupBy: ['quest_type'],
      windowStart: 'window_start',
      windowEnd: 'window_end',
      measures: [{ column: 'events', by: 'sum' }],
    } as const
    const end = { name: 'window_end', type: 'timestamp', nullable: false } as const
    const base = questTable('viewed_open_closed')
    const columns = [...base.columns.slice(0, 2), end, ...base.columns.slice(2)]
    const table: TableSpec = { ...base, columns, split: true, views: [hour] }
    await warehouse.prepare(table)
    const wider: TableSpec = {
      ...table,
      views: [{ ...hour, measures: [...hour.measures, { column: 'gold', by: 'sum' }] }],
    }
    await warehouse.prepare(wider)
    const sink = await warehouse.openSink(identityOf(wider))
    const start = NOW - (NOW % 3_600_000)
    await sink.flush(flushOf(1, [['a', new Date(start), new Date(start + 60_000), 1, 5]]))
    const closed = [['a', new Date(start + 60_000), new Date(start + 120_000), 2, 6]] as const
    await sink.flush({ ...flushOf(2, []), closed })
    const view = { ...wider, name: 'viewed_hour', split: false, views: [] }
    expect(await allRows(warehouse, view)).toEqual([['a', new Date(start), new Date(start + 3_600_000), 3, 11]])
  })
})
