import { UNTIL } from './quest-events.js'

const HOUR = 3_600_000
const HOURS = 168
/** Share of the rarest of 20 quest types under Zipf's law with exponent 1. */
const RAREST = 0.0139
/** One of the very active ones. */
const PLAYER = 'u0000000'

/** One of the twelve questions, in Trino's SQL. */
export interface Question {
  /** Short, for plots and logs. */
  readonly name: string
  readonly title: string
  /** Over the raw events. */
  readonly raw: string
  /** Over the tables of the pipeline; absent where no rollup answers it. */
  readonly rolledUp?: string
  /**
   * The last column is an estimate of the number of different players by the two columns before, a quest type and a day:
   * each of the two answers is compared with the exact number, not with the other.
   */
  readonly approximate?: boolean
}

/**
 * The questions over `events` raw events in `public.quest_events` and the rollups in the schema `rollups`. Raw sums and
 * counts are written so that Trino can leave them to PostgreSQL where it knows how (it does not for functions of time).
 */
export function questions(events: number, rollups: string): readonly Question[] {
  const few = Math.max(1, Math.round((events / HOURS) * RAREST))
  const hour = `date_trunc('hour', occurred_at)`
  const day = `date_trunc('day', occurred_at)`
  const fiveMinutes = `${hour} + interval '5' minute * (minute(occurred_at) / 5)`
  const oneDay = (column: string) =>
    `${column} >= ${time(UNTIL - 48 * HOUR)} AND ${column} < ${time(UNTIL - 24 * HOUR)}`
  const lastTwoHours = (column: string) => `${column} >= ${time(UNTIL - 2 * HOUR)}`
  const of = (table: string) => `FROM ${rollups}.${table}`
  const raw = 'FROM quest_events'
  return [
    {
      name: 'events by hour',
      title: 'Events per quest type and hour',
      raw: `SELECT quest_type, ${hour} AS hour, count(*) AS events ${raw} GROUP BY 1, 2 ORDER BY 1, 2`,
      rolledUp: `SELECT quest_type, window_start AS hour, events ${of('quest_hour')} ORDER BY 1, 2`,
    },
    {
      name: 'completions, 2 hours',
      title: 'Completions per quest type of the last 2 hours',
      raw: `SELECT quest_type, count(*) AS completions ${raw} WHERE event_type = 'COMPLETED' AND ${lastTwoHours('occurred_at')} GROUP BY 1 ORDER BY 1`,
      rolledUp: `SELECT quest_type, CAST(sum(completions) AS bigint) AS completions ${of('quest_five_minutes')} WHERE ${lastTwoHours('window_start')} GROUP BY 1 HAVING sum(completions) > 0 ORDER BY 1`,
    },
    {
      name: 'completion rate',
      title: 'Completion rate per region and day',
      raw: `SELECT region, ${day} AS day, CAST(count_if(event_type = 'COMPLETED') AS double) / count(*) AS rate ${raw} GROUP BY 1, 2 ORDER BY 1, 2`,
      rolledUp: `SELECT region, window_start AS day, CAST(sum(completions) AS double) / CAST(sum(events) AS double) AS rate ${of('region_day')} GROUP BY 1, 2 ORDER BY 1, 2`,
    },
    {
      name: 'gold by 5 minutes',
      title: 'Gold per quest type and 5 minutes of one day',
      raw: `SELECT quest_type, ${fiveMinutes} AS five_minutes, sum(reward_gold) AS gold ${raw} WHERE ${oneDay('occurred_at')} GROUP BY 1, 2 ORDER BY 1, 2`,
      rolledUp: `SELECT quest_type, window_start AS five_minutes, CAST(gold AS bigint) AS gold ${of('quest_five_minutes')} WHERE ${oneDay('window_start')} ORDER BY 1, 2`,
    },
    {
      name: 'gold per event',
      title: 'Average gold per event per region',
      raw: `SELECT region, CAST(sum(reward_gold) AS double) / CAST(count(*) AS double) AS gold ${raw} GROUP BY 1 ORDER BY 1`,
      rolledUp: `SELECT region, CAST(sum(gold) AS double) / CAST(sum(events) AS double) AS gold ${of('region_day')} GROUP BY 1 ORDER BY 1`,
    },
    {
      name: 'slowest by hour',
      title: 'Slowest quest per type and hour',
      raw: `SELECT quest_type, ${hour} AS hour, max(duration_ms) AS slowest_ms ${raw} GROUP BY 1, 2 ORDER BY 1, 2`,
      rolledUp: `SELECT quest_type, window_start AS hour, slowest_ms ${of('quest_hour')} ORDER BY 1, 2`,
    },
    {
      name: 'top 5 types',
      title: 'Top 5 quest types by gold',
      raw: `SELECT quest_type, sum(reward_gold) AS gold ${raw} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
      rolledUp: `SELECT quest_type, CAST(sum(gold) AS bigint) AS gold ${of('region_day')} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
    },
    {
      name: 'players by day',
      title: 'Players per quest type and day (approximate)',
      raw: `SELECT quest_type, ${day} AS day, approx_distinct(user_id) AS players ${raw} GROUP BY 1, 2 ORDER BY 1, 2`,
      rolledUp: `SELECT quest_type, window_start AS day, players ${of('quest_day')} ORDER BY 1, 2`,
      approximate: true,
    },
    {
      name: 'quiet hours',
      title: `Hours in which a type had fewer than ${few} events`,
      raw: `SELECT quest_type, ${hour} AS hour, count(*) AS events ${raw} GROUP BY 1, 2 HAVING count(*) < ${few} ORDER BY 1, 2`,
      rolledUp: `SELECT quest_type, window_start AS hour, events ${of('quest_hour')} WHERE events < ${few} ORDER BY 1, 2`,
    },
    {
      name: 'region share',
      title: "Share of each region in a type's gold",
      raw: `SELECT quest_type, region, CAST(sum(reward_gold) AS double) / CAST(sum(sum(reward_gold)) OVER (PARTITION BY quest_type) AS double) AS share ${raw} GROUP BY 1, 2 ORDER BY 1, 2`,
      rolledUp: `SELECT quest_type, region, CAST(sum(gold) AS double) / CAST(sum(sum(gold)) OVER (PARTITION BY quest_type) AS double) AS share ${of('region_day')} GROUP BY 1, 2 ORDER BY 1, 2`,
    },
    {
      name: 'last 50 events',
      title: "One user's last 50 events",
      raw: `SELECT occurred_at, quest_id, quest_type, event_type, region, reward_gold, duration_ms ${raw} WHERE user_id = '${PLAYER}' ORDER BY occurred_at DESC LIMIT 50`,
    },
    {
      name: 'median duration',
      title: 'Median duration per quest id',
      raw: `SELECT quest_id, approx_percentile(duration_ms, 0.5) AS median_ms ${raw} GROUP BY 1 ORDER BY 1`,
    },
  ]
}

/** A time with its zone, as a literal of Trino. */
const time = (at: number): string => `timestamp '${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC'`
