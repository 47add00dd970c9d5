import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { postgresWarehouse } from '../../../src/warehouse/postgres/postgres-warehouse.js'
import { type PostgresService, postgresAvailable, startPostgres } from '../../services/postgres.js'
import { allRows, flushOf, identityOf, NOW, questTable, tableSpec } from '../warehouse-contract.js'

describe.skipIf(postgresAvailable() !== undefined)('tables that somebody else made', () => {
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
  const refusal = (table: TableSpec) =>
    warehouse.prepare(table).then(
      () => 'prepared',
      thrown => thrown.message as string,
    )

  it('are used when they fit: more columns, another order, a unique index instead of a primary key', async () => {
    await admin.query(`CREATE TABLE fitting (
      note text, gold bigint, made timestamptz NOT NULL DEFAULT now(), events bigint, window_start timestamptz NOT NULL,
      quest_type text NOT NULL)`)
    await admin.query('CREATE UNIQUE INDEX ON fitting (window_start, quest_type) INCLUDE (note)')
    const table = questTable('fitting')
    await warehouse.prepare(table)
    const sink = await warehouse.openSink(identityOf(table))
    await sink.flush(flushOf(1, [['a', new Date(NOW), 1, null]]))
    await admin.query(`UPDATE fitting SET note = 'kept'`)
    await sink.flush(flushOf(2, [['a', new Date(NOW), 2, 3]]))
    expect((await admin.query('SELECT note, events FROM fitting')).rows).toEqual([{ note: 'kept', events: '2' }])
  })

  it('are refused with all differences and a statement for each', async () => {
    await admin.query(`CREATE TABLE differing (
      quest_type varchar(10) NOT NULL, window_start timestamp NOT NULL, events bigint GENERATED ALWAYS AS (5) STORED,
      gold bigint NOT NULL, strict integer NOT NULL, UNIQUE (quest_type))`)
    const message = await refusal(questTable('differing'))
    for (const line of [
      'column "quest_type" has type character varying(10), not text: ALTER TABLE "public"."differing" ALTER COLUMN "quest_type" TYPE text USING "quest_type"::text',
      'column "window_start" has type timestamp without time zone, not timestamp with time zone: ALTER TABLE',
      'column "events" is computed by the database',
      'column "gold" is NOT NULL, but its values may be null: ALTER TABLE "public"."differing" ALTER COLUMN "gold" DROP NOT NULL',
      'column "strict" is not among the sink\'s columns and is NOT NULL',
      'no unique index on exactly the key columns: CREATE UNIQUE INDEX ON "public"."differing" ("quest_type", "window_start")',
    ]) {
      expect(message).toContain(line)
    }
  })

  it.each([
    ['partial', 'CREATE UNIQUE INDEX ON %t (quest_type, window_start) WHERE events > 0'],
    ['deferrable', 'ALTER TABLE %t ADD UNIQUE (quest_type, window_start) DEFERRABLE'],
    ['on an expression', 'CREATE UNIQUE INDEX ON %t (lower(quest_type), window_start)'],
    ['on more columns', 'CREATE UNIQUE INDEX ON %t (quest_type, window_start, events)'],
    ['not unique', 'CREATE INDEX ON %t (quest_type, window_start)'],
  ])('are refused when their index is %s', async (kind, statement) => {
    const name = `index_${kind.replaceAll(' ', '_')}`
    await admin.query(
      `CREATE TABLE ${name} (quest_type text NOT NULL, window_start timestamptz NOT NULL, events bigint NOT NULL, gold bigint)`,
    )
    await admin.query(statement.replace('%t', name))
    expect(await refusal(questTable(name))).toContain('no unique index on exactly the key columns')
  })

  it('need an index with NULLs equal where a key column may be null', async () => {
    await admin.query('CREATE TABLE nulls (k text, n integer, UNIQUE (k))')
    const columns = [
      { name: 'k', type: 'text', nullable: true },
      { name: 'n', type: 'int', nullable: true },
    ] as const
    const table = tableSpec('nulls', columns, ['k'])
    expect(await refusal(table)).toContain('CREATE UNIQUE INDEX ON "public"."nulls" ("k") NULLS NOT DISTINCT')
    await admin.query('CREATE UNIQUE INDEX ON nulls (k) NULLS NOT DISTINCT')
    expect(await refusal(table)).toBe('prepared')
  })

  it('are refused when they are views, or the table of offsets', async () => {
    await admin.query(
      `CREATE VIEW viewed AS SELECT ''::text AS quest_type, now() AS window_start, 1::bigint AS events, 1::bigint AS gold`,
    )
    expect(await refusal(questTable('viewed'))).toContain('a view')
    expect(await refusal(questTable('game.millrace_offsets'))).toContain('table of offsets')
  })

  it('begin their key with the columns of the sort key', async () => {
    await warehouse.prepare({ ...questTable('sorted'), sortKey: ['gold', 'window_start'] })
    const { rows } = await admin.query(`SELECT indexdef FROM pg_indexes WHERE tablename = 'sorted'`)
    expect(rows).toEqual([{ indexdef: expect.stringContaining('(window_start, quest_type)') }])
  })

  it('can be prepared once by an administrator and written by a user who may create nothing', async () => {
    const table = questTable('guarded.quests')
    await warehouse.prepare(table)
    await admin.query(`CREATE ROLE writer LOGIN; GRANT USAGE ON SCHEMA guarded TO writer;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA guarded TO writer`)
    const restricted = postgresWarehouse({ url: server.url.replace('postgres@', 'writer@') })
    await restricted.prepare(table)
    const sink = await restricted.openSink(identityOf(table))
    await sink.flush(flushOf(1, [['a', new Date(NOW), 1, null]]))
    expect(await allRows(restricted, table)).toEqual([['a', new Date(NOW), 1, null]])
    await expect(restricted.prepare(questTable('guarded.others'))).rejects.toMatchObject({
      code: 'WAREHOUSE',
      message: expect.stringContaining('permission denied'),
    })
    await restricted.close()
  })

  it('are refused with a statement for an administrator where their schema is missing and may not be created', async () => {
    await admin.query('CREATE ROLE "team-a" LOGIN')
    const restricted = postgresWarehouse({ url: server.url.replace('postgres@', 'team-a@') })
    const table = questTable('staging.quests')
    const thrown = await restricted.prepare(table).catch((error: unknown) => error)
    expect(thrown).toMatchObject({
      code: 'WAREHOUSE_TABLE',
      message: expect.stringContaining('the user "team-a" may not create schemas in the database "postgres"'),
    })
    const [, statement] = /run: (.*)$/.exec((thrown as Error).message) ?? []
    await admin.query(statement as string)
    await restricted.prepare(table)
    expect(await allRows(restricted, table)).toEqual([])
    await restricted.close()
  })

  it('need a schema in their name where the connection has none', async () => {
    await admin.query(`CREATE ROLE lost LOGIN; ALTER ROLE lost SET search_path = nowhere`)
    const restricted = postgresWarehouse({ url: server.url.replace('postgres@', 'lost@') })
    await expect(restricted.prepare(questTable('quests'))).rejects.toMatchObject({
      code: 'WAREHOUSE_TABLE',
      message: expect.stringContaining('Write schema.quests'),
    })
    await restricted.close()
  })
})
