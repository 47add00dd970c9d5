import {
  aggregate,
  count,
  distinctSketch,
  fromTopic,
  logBucket,
  repartition,
  to,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { QuestEvent } from '../../schemas/quest-event.js'
import { questEvent } from '../../schemas/quest-event.js'
import type { ColumnType, ColumnValue } from '../../src/model/column.js'
import { tableSpec } from '../../src/runtime/rows-program.js'
import { postgresWarehouse } from '../../src/warehouse/postgres/postgres-warehouse.js'
import { postgresViews } from '../../src/warehouse/sql/postgres-views.js'
import { quantileView } from '../../src/warehouse/sql/quantile-view.js'
import { codeBlocks } from '../docs/markdown.js'
import { type PostgresService, postgresAvailable, startPostgres } from '../services/postgres.js'
import { startTrino, type TrinoService, trinoAvailable } from '../services/trino.js'
import { bucketRows, bucketTable, bucketView, expectQuantiles, VIEW_COLUMNS } from './sql/bucket-groups.js'
import { flushOf, identityOf } from './warehouse-contract.js'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 15)
const TYPES = ['hunt', 'raid', 'duel']

/** Three windows a type: one of few users, one of many, one in between; users come back in other windows and types. */
const USERS_OF_WINDOW = [40, 3_000, 700]

function* questEvents(): Generator<QuestEvent> {
  let n = 0
  for (const [w, users] of USERS_OF_WINDOW.entries()) {
    for (const [t, questType] of TYPES.entries()) {
      for (let i = 0; i < users; i++) {
        n++
        yield {
          eventId: `e${n}`,
          userId: `player-${(i * 7 + t * 500 + w * 13) % 4_001} 🐎`,
          questId: `quest-${i % 9}`,
          questType,
          eventType: 'COMPLETED',
          region: 'eu',
          rewardGold: (i * 31) % 977,
          durationMs: (i * 7919) % 600_000,
          occurredAt: START + w * MINUTE + (i % 60) * 1000,
        }
      }
    }
  }
}

const events = fromTopic('quest-events', {
  value: questEvent.pick('questType', 'userId', 'rewardGold', 'durationMs', 'occurredAt'),
  keyColumn: 'userId',
  timestamp: 'occurredAt',
})

const sketches = topology(
  'sketches',
  events.pipe(
    repartition('by-type', { by: 'questType' }),
    window(tumbling('1 minute')),
    aggregate('minute', { events: count(), players: distinctSketch('userId'), rewards: distinctSketch('rewardGold') }),
    to(warehouse('quest_minute')),
  ),
  events.pipe(
    repartition('by-type-and-bucket', { by: { questType: 'questType', bucket: logBucket('durationMs') } }),
    window(tumbling('1 minute')),
    aggregate('durations', { events: count() }),
    to(
      warehouse('quest_durations', {
        quantiles: {
          view: 'quest_quantiles',
          bucket: 'bucket',
          count: 'events',
          ranks: { p50: 0.5, p95: 0.95, worst: 1 },
        },
      }),
    ),
  ),
)

/** The sketch of values, as hexadecimal text. */
function sketch(type: ColumnType, values: Iterable<unknown>): string {
  const aggregation = distinctSketch<{ x: number }>('x').resolve(type)
  let state = aggregation.zero()
  const at = { timestamp: 0, topic: 'in', partition: 0, offset: 0, index: 0 }
  for (const value of values) state = aggregation.add(state, value, at)
  return (aggregation.result(state) as Buffer).toString('hex').toUpperCase()
}

const unavailable = process.env.MILLRACE_TEST_SERVICES === '0' || postgresAvailable() || trinoAvailable()

describe.skipIf(unavailable)('Trino over the tables', () => {
  let postgres: PostgresService
  let admin: pg.Client
  let starting: Promise<TrinoService> | undefined
  let trino: TrinoService
  const rowsOf = async (sql: string) => (await trino.query(sql)).rows

  beforeAll(async () => {
    postgres = await startPostgres()
    starting = startTrino({ postgres: postgres.url, quick: true })
    admin = new pg.Client({ connectionString: postgres.url })
    await admin.connect()
    await fillRaw(admin)
    await fillTables(postgres.url)
    trino = await starting
    // With Maven fetching 93 MB where they are not in the cache.
  }, 300_000)

  afterAll(async () => {
    await (await starting)?.close()
    await admin?.end()
    await postgres?.stop()
  })

  describe('distinctSketch', () => {
    it.each([
      ['bigint', 'long', [0, 1, -1, 7, 2 ** 53, 2n ** 63n - 1n, -(2n ** 63n)]],
      ['double precision', 'double', [0, 1.5, -1.5, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, 1e308]],
      ['text', 'text', ['', 'a', 'player-1', 'ß', '🐎🐎', '\u{10ffff}', 'x'.repeat(1000)]],
    ] as const)('hashes %s as approx_set does', async (sqlType, type, values) => {
      const table = `hashed_${type}`
      await admin.query(`CREATE TABLE ${table} (id integer, v ${sqlType})`)
      for (const [id, value] of values.entries()) await admin.query(`INSERT INTO ${table} VALUES ($1, $2)`, [id, value])
      const rows = await rowsOf(
        `SELECT to_hex(cast(approx_set(v) AS varbinary)) FROM ${table} GROUP BY id, v ORDER BY id`,
      )
      expect(rows.map(([bytes]) => bytes)).toEqual(values.map(value => sketch(type, [value])))
    })

    // Sparse up to 511 values, then dense; from about 40,000 on the smallest register is above 0.
    it.each([1, 511, 512, 5_000, 300_000])('of %d values has the bytes of approx_set', async values => {
      const numbers = `SELECT 7 * (a - 1) * 1000 + 7 * (b - 1) AS n FROM unnest(sequence(1, 300)) s (a), unnest(sequence(1, 1000)) t (b)`
      const [row] = await rowsOf(
        `SELECT to_hex(cast(approx_set(n) AS varbinary)) FROM (${numbers}) WHERE n < 7 * ${values}`,
      )
      expect(row?.[0] === sketch('long', multiplesOfSeven(values)), 'same bytes').toBe(true)
    })

    it('in the table has the bytes of approx_set over the raw events of its window', async () => {
      const raw = `SELECT quest_type, date_trunc('minute', occurred_at) AS w,
        to_hex(cast(approx_set(user_id) AS varbinary)), to_hex(cast(approx_set(reward_gold) AS varbinary))
        FROM raw_events GROUP BY 1, 2 ORDER BY 1, 2`
      const table = `SELECT quest_type, window_start, to_hex(players), to_hex(rewards) FROM quest_minute ORDER BY 1, 2`
      const [fromTable, fromRaw] = [await rowsOf(table), await rowsOf(raw)]
      expect(fromTable.length).toBe(TYPES.length * USERS_OF_WINDOW.length)
      const formats = new Set(fromTable.map(row => String(row[2]).slice(0, 2)))
      expect(formats, 'sparse and dense').toEqual(new Set(['02', '03']))
      expect(fromTable.map(row => row.slice(2))).toEqual(fromRaw.map(row => row.slice(2)))
    })

    it('merges over windows and types to the cardinality of approx_set over all raw events', async () => {
      for (const [group, by] of [
        ['quest_type,', 'GROUP BY quest_type ORDER BY quest_type'],
        ['', ''],
      ]) {
        const merged = await rowsOf(
          `SELECT ${group} cardinality(merge(cast(players AS HyperLogLog))) FROM quest_minute ${by}`,
        )
        const raw = await rowsOf(`SELECT ${group} cardinality(approx_set(user_id)) FROM raw_events ${by}`)
        expect(merged).toEqual(raw)
      }
    })

    it('merges with sketches that Trino makes', async () => {
      const [row] = await rowsOf(`SELECT cardinality(merge(s)),
          (SELECT cardinality(approx_set(user_id)) FROM raw_events WHERE quest_type IN ('hunt', 'duel'))
        FROM (
          SELECT cast(players AS HyperLogLog) AS s FROM quest_minute WHERE quest_type = 'hunt'
          UNION ALL SELECT approx_set(user_id) FROM raw_events WHERE quest_type = 'duel'
        )`)
      expect(row?.[0]).toBe(row?.[1])
    })

    it('counts nothing where it is empty', async () => {
      const [row] = await rowsOf(`SELECT cardinality(cast(X'${sketch('text', [])}' AS HyperLogLog))`)
      expect(row).toEqual([0])
    })
  })

  describe('docs/sketches.md', () => {
    const queries = codeBlocks().filter(({ page, language }) => page === 'docs/sketches.md' && language === 'sql')
    const [merged, withRaw, view, longer] = queries.map(({ text }) => text) as [string, string, string, string]

    it('has four queries, of which two run anywhere', () => {
      expect(queries.map(({ source }) => source)).toEqual(['trino', 'trino', 'any', 'any'])
    })

    it('merges sketches', async () => {
      const raw = 'SELECT quest_type, cardinality(approx_set(user_id)) FROM raw_events GROUP BY 1 ORDER BY 1'
      expect(await rowsOf(merged)).toEqual(await rowsOf(raw))
      // All that is in the table is in the raw events, too.
      expect(await rowsOf(withRaw)).toEqual(await rowsOf('SELECT cardinality(approx_set(user_id)) FROM raw_events'))
    })

    it('reads the view, and has quantiles over longer windows within the accuracy', async () => {
      expect((await rowsOf(view)).length).toBe(TYPES.length * USERS_OF_WINDOW.length)
      const { rows: exact } = await admin.query({
        text: `SELECT quest_type, percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms)
          FROM raw_events GROUP BY 1 ORDER BY 1`,
        rowMode: 'array',
      })
      const { rows: inPostgres } = await admin.query({ text: longer, rowMode: 'array' })
      for (const answer of [await rowsOf(longer), inPostgres]) {
        expect(answer.map(([questType]) => questType)).toEqual(exact.map(([questType]) => questType))
        for (const [index, [, p95]] of answer.entries()) {
          const right = Number(exact[index]?.[1])
          expect(Math.abs(Number(p95) - right)).toBeLessThanOrEqual(0.010001 * right)
        }
      }
    })
  })

  describe('quantiles', () => {
    it('come from the view within the accuracy of the raw events, the same as in PostgreSQL', async () => {
      const view = `SELECT quest_type, window_start, events, p50, p95, worst FROM quest_quantiles ORDER BY 1, 2`
      const inTrino = await rowsOf(view)
      const { rows: inPostgres } = await admin.query({ text: view, rowMode: 'array' })
      const { rows: raw } = await admin.query({
        text: `SELECT count(*), percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY duration_ms)
          FROM raw_events GROUP BY quest_type, date_trunc('minute', occurred_at, 'UTC')
          ORDER BY quest_type, date_trunc('minute', occurred_at, 'UTC')`,
        rowMode: 'array',
      })
      expect(inTrino.length).toBe(TYPES.length * USERS_OF_WINDOW.length)
      for (const [index, row] of inTrino.entries()) {
        const [events, exact] = raw[index] as [string, number[]]
        expect(row[2]).toBe(Number(events))
        expect(Number(inPostgres[index]?.[2])).toBe(Number(events))
        for (const [i, value] of row.slice(3).entries()) {
          expect(Math.abs((value as number) - Number(exact[i]))).toBeLessThanOrEqual(0.010001 * Number(exact[i]))
          expect(value).toBeCloseTo(inPostgres[index]?.[3 + i] as number, 6)
        }
      }
    })

    it('are within the accuracy where Trino runs the SELECT of the view itself', async () => {
      const table = await stored(postgres.url, bucketTable, bucketRows())
      expectQuantiles(
        (await rowsOf(quantileView(postgresViews, bucketView, table).select(VIEW_COLUMNS))) as ColumnValue[][],
      )
    })
  })
})

function* multiplesOfSeven(values: number): Generator<number> {
  for (let n = 0; n < values; n++) yield 7 * n
}

async function fillRaw(admin: pg.Client): Promise<void> {
  await admin.query(
    'CREATE TABLE raw_events (quest_type text, user_id text, reward_gold bigint, duration_ms bigint, occurred_at timestamptz)',
  )
  const all = [...questEvents()]
  await admin.query(
    `INSERT INTO raw_events SELECT a, b, c, d, to_timestamp(e / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS s (a, b, c, d, e)`,
    [
      all.map(event => event.questType),
      all.map(event => event.userId),
      all.map(event => event.rewardGold),
      all.map(event => event.durationMs),
      all.map(event => event.occurredAt),
    ],
  )
}

/** Runs the topology on the events, and keeps its tables in PostgreSQL. */
async function fillTables(url: string): Promise<void> {
  const driver = await TopologyTestDriver.start(sketches, { startTime: START + 10 * MINUTE, partitions: 2 })
  const inputs = [...questEvents()].map(event => ({ key: event.userId, value: event }))
  await driver.pipeAll('quest-events', inputs)
  for (const node of sketches.outputs) {
    if (node.kind !== 'to-warehouse') continue
    const spec = tableSpec(node)
    const rows = await driver.rows(node.table)
    await stored(
      url,
      spec,
      rows.map(row => spec.columns.map(({ name }) => row[name] as ColumnValue)),
    )
  }
  await driver.close()
}

/** Writes rows as a sink does. Answers the table's name. */
async function stored(
  url: string,
  spec: ReturnType<typeof tableSpec>,
  rows: readonly (readonly ColumnValue[])[],
): Promise<string> {
  const database = postgresWarehouse({ url })
  await database.prepare(spec)
  await (await database.openSink(identityOf(spec))).flush(flushOf(1, rows))
  await database.close()
  return spec.name
}
