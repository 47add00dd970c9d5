import { describe, expect, test } from 'vitest'
import { EventColumns } from '../../src/advise/event-columns.js'
import { queryNeeds, type StatementNeeds } from '../../src/advise/query-needs.js'
import { sqlParser } from '../../src/advise/sql-parser.js'
import { DAY, HOUR, MINUTE } from '../../src/advise/time-grain.js'
import { QUEST_SCHEMA } from './quest-samples.js'

const parse = await sqlParser()
const events = new EventColumns(QUEST_SCHEMA, 'occurredAt')

function needsOf(sql: string): StatementNeeds {
  const parsed = parse(sql)
  if ('problem' in parsed) throw new Error(parsed.problem)
  return queryNeeds(parsed.statements, 'quest_events', events)
}

function needOf(sql: string) {
  const found = needsOf(sql)
  if (found.kind !== 'answerable') throw new Error(`not answerable: ${JSON.stringify(found)}`)
  expect(found.needs).toHaveLength(1)
  return found.needs[0]!
}

const COMPLETED = { where: { eventType: ['COMPLETED'] } }

describe('a rollup that answers', () => {
  test.each([
    [
      "select date_trunc('hour', occurred_at), quest_type, count(*) from quest_events group by 1, 2",
      ['questType'],
      HOUR,
      [{ kind: 'count' }],
    ],
    [
      "select QUEST_TYPE, count(*) filter (where event_type = 'COMPLETED') from hive.raw.quest_events where occurred_at > now() - interval '2' hour group by quest_type",
      ['questType'],
      MINUTE,
      [{ kind: 'count', ...COMPLETED }],
    ],
    [
      "select sum(case when event_type = 'COMPLETED' then reward_gold else 0 end), count(case when event_type in ('STARTED', 'ABANDONED') then 1 end) from quest_events",
      [],
      DAY,
      [
        { kind: 'sum', field: 'rewardGold', ...COMPLETED },
        { kind: 'count', where: { eventType: ['STARTED', 'ABANDONED'] } },
      ],
    ],
    [
      "select region, avg(reward_gold), max(duration_ms) from quest_events where occurred_at between timestamp '2026-11-01 06:00:00' and timestamp '2026-11-02 00:00:00' group by region",
      ['region'],
      HOUR,
      [{ kind: 'sum', field: 'rewardGold' }, { kind: 'count' }, { kind: 'max', field: 'durationMs' }],
    ],
    [
      "select quest_type, sum(reward_gold) * 1.0 / sum(sum(reward_gold)) over (partition by quest_type) from quest_events where region in ('eu-north', 'us-east1') group by 1",
      ['questType', 'region'],
      DAY,
      [{ kind: 'sum', field: 'rewardGold' }],
    ],
    [
      "with e as (select q.quest_type t, q.occurred_at, q.reward_gold from quest_events q where q.event_type = 'COMPLETED') select t, sum(reward_gold) from e where occurred_at >= current_date group by t",
      ['eventType', 'questType'],
      DAY,
      [{ kind: 'sum', field: 'rewardGold' }],
    ],
    [
      'select count(*) from (select quest_type, count(*) n from quest_events group by 1) x where n < 10',
      ['questType'],
      DAY,
      [{ kind: 'count' }],
    ],
    ['select distinct region from quest_events', ['region'], DAY, [{ kind: 'count' }]],
    [
      'select u.country, count(*) from quest_events e join users u on u.id = e.user_id group by u.country',
      ['userId'],
      DAY,
      [{ kind: 'count' }],
    ],
  ])('%s', (sql, dimensions, grain, measures) => {
    expect(needOf(sql)).toEqual({ dimensions, grain, measures, approximations: [] })
  })

  test('counts different values by sketches, and says that this is an estimate', () => {
    const need = needOf('select date(occurred_at), count(distinct user_id) from quest_events group by 1')
    expect(need.measures).toEqual([{ kind: 'distinctSketch', field: 'userId' }])
    expect(need.approximations).toEqual([expect.stringContaining('is estimated')])
  })
})

describe('no rollup answers', () => {
  test.each([
    ["select * from quest_events where user_id = 'u1' order by occurred_at desc limit 50", 'it reads single events'],
    ['select quest_id, approx_percentile(duration_ms, 0.5) from quest_events group by 1', 'approx_percentile'],
    ['select percentile_cont(0.5) within group (order by duration_ms) from quest_events', 'cannot be added up'],
    ['select row_number() over (partition by user_id order by occurred_at) from quest_events', 'window function'],
    ['select occurred_at, count(*) from quest_events group by 1', 'the time of single events'],
    ['select floor(extract(epoch from occurred_at) / 420), count(*) from quest_events group by 1', '420 seconds'],
    ['select sum(reward_gold * duration_ms) from quest_events', 'of an expression'],
    ['select player_level, count(*) from quest_events group by 1', 'player_level, which the events do not have'],
    ['insert into x select region, count(*) from quest_events group by 1', 'no query (insert)'],
  ])('%s', (sql, reason) => {
    expect(needsOf(sql)).toEqual({ kind: 'unanswerable', reason: expect.stringContaining(reason) })
  })
})

test('other tables are of no interest', () => {
  expect(needsOf('select count(*) from users')).toEqual({ kind: 'elsewhere' })
  expect(needsOf("delete from quest_events where occurred_at < '2020-01-01'")).toEqual({ kind: 'elsewhere' })
})
