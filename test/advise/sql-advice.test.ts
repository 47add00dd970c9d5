import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EventColumns } from '../../src/advise/event-columns.js'
import type { QueryLog } from '../../src/advise/query-log.js'
import { sampledRows } from '../../src/advise/row-estimate.js'
import { adviseSql } from '../../src/advise/sql-advice.js'
import { sqlParser } from '../../src/advise/sql-parser.js'
import { millrace } from '../docs/cli.js'
import { ROOT } from '../docs/markdown.js'
import { compileAt } from '../types/compile.js'
import { activeUsers, QUEST_SCHEMA, questSample } from './quest-samples.js'

const source = { topic: 'quest-events', schemaName: 'questEvent', schemaModule: '../schemas/quest-event.js' }
const parse = await sqlParser()
const rows = sampledRows(questSample(200_000, activeUsers))

const ANSWERED = [
  "select date_trunc('hour', occurred_at), quest_type, count(*), approx_distinct(user_id) from quest_events group by 1, 2",
  "select quest_type, count(*) filter (where event_type = 'COMPLETED'), sum(reward_gold) from quest_events where occurred_at >= now() - interval '2' hour group by 1",
  "select region, date(occurred_at), sum(case when event_type in ('STARTED', 'ABANDONED') then reward_gold else 0 end) from quest_events group by 1, 2",
  'select min(occurred_at), max(duration_ms), avg(reward_gold) from quest_events',
  'select region, avg(reward_gold) from quest_events group by region',
]
const NOT_ANSWERED = [
  "select * from quest_events where user_id = 'u1' order by occurred_at desc limit 50",
  'select quest_id, median(duration_ms) from quest_events group by 1',
  "select user_id, date_trunc('minute', occurred_at), count(*) from quest_events group by 1, 2",
  'selec quest_type from quest_events',
]

function logOf(statements: readonly string[], cost = 10): QueryLog {
  return { unit: 'ms', queries: statements.map(sql => ({ sql, calls: 1, cost })) }
}

const advise = (log: QueryLog) =>
  adviseSql({ log, parse, table: 'quest_events', events: new EventColumns(QUEST_SCHEMA, 'occurredAt'), rows, source })

describe('advice on logged SQL', () => {
  const advice = advise(logOf([...ANSWERED, ...NOT_ANSWERED, 'select 1 from other']))

  test('says what part of the cost rollups answer, and save', () => {
    expect([advice.statements, advice.onTable, advice.cost, advice.sampled]).toEqual([10, 9, 90, true])
    expect(advice.coverage).toBeCloseTo(5 / 9)
    expect(advice.saving).toBeGreaterThan(0.4)
    expect(advice.saving).toBeLessThan(advice.coverage)
  })

  test('says why each of the others is not answered', () => {
    const reasons = advice.queries.flatMap(({ sql, reason }) => (reason === undefined ? [] : [[sql, reason]]))
    expect(reasons).toEqual([
      [NOT_ANSWERED[0], 'it reads single events, not aggregates of them'],
      [NOT_ANSWERED[1], 'median(…) cannot be added up from the rows of a rollup'],
      [
        NOT_ANSWERED[2],
        expect.stringMatching(/^a rollup by userId and 60 s would have \d+ % of the rows of the events$/),
      ],
      [NOT_ANSWERED[3], expect.stringMatching(/^it cannot be parsed: /)],
    ])
    expect(advice.unparsed).toHaveLength(1)
  })

  test('every answered query names the tables that answer it', () => {
    const tables = advice.rollups.map(({ table }) => table)
    for (const sql of ANSWERED) {
      const query = advice.queries.find(one => one.sql === sql)
      expect(query?.tables.length).toBeGreaterThan(0)
      expect(tables).toEqual(expect.arrayContaining([...(query?.tables ?? [])]))
    }
  })
})

describe('the topology', { timeout: 120_000 }, () => {
  const texts = [ANSWERED, [ANSWERED[3]!], [ANSWERED[0]!, ANSWERED[4]!]].map(
    statements => advise(logOf(statements)).topology!,
  )

  test('compiles', () => {
    expect(compileAt(join(ROOT, 'topologies'), texts)).toEqual(texts.map(() => []))
  })

  test('passes millrace check', async () => {
    mkdirSync(join(ROOT, '.millrace'), { recursive: true })
    const folder = mkdtempSync(join(ROOT, '.millrace/advise-'))
    try {
      const files = texts.map((text, i) => {
        const file = join(folder, `rollups-${i}.ts`)
        writeFileSync(
          file,
          text.replace("'../schemas/", "'../../schemas/").replace("'quest-events-rollups'", `'rollups-${i}'`),
        )
        return file
      })
      const said = await millrace('check', ...files)
      for (const i of files.keys()) expect(said).toContain(`topology "rollups-${i}": no problems.`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('is not proposed where nothing is worth it', () => {
    const { rollups, topology, coverage } = advise(logOf(NOT_ANSWERED))
    expect([rollups, topology, coverage]).toEqual([[], undefined, 0])
  })
})
