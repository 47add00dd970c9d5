import {
  aggregate,
  approxDistinct,
  count,
  type Duration,
  fromTopic,
  max,
  repartition,
  sum,
  to,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { questEvent } from '../../schemas/quest-event.js'

/**
 * The rollups that answer ten of the twelve questions of `npm run bench -- presto`. Source and freshness come from the
 * benchmark by environment variables.
 */
const { SOURCE = 'quest-events', FRESHNESS = '60 seconds' } = process.env
const freshness = FRESHNESS as Duration
const grace = '30 seconds'

const events = fromTopic(SOURCE, {
  value: questEvent.pick('questType', 'region', 'eventType', 'rewardGold', 'durationMs', 'userId', 'occurredAt'),
  keyColumn: 'userId',
  timestamp: 'occurredAt',
})
const completions = count({ where: { eventType: 'COMPLETED' } })
const byType = events.pipe(repartition('by-quest-type', { by: 'questType' }))

export default topology(
  'presto',
  byType.pipe(
    window(tumbling('5 minutes', { grace })),
    aggregate('quest-five-minutes', { events: count(), completions, gold: sum('rewardGold') }),
    to(warehouse('quest_five_minutes', { freshness, sortKey: ['window_start', 'quest_type'] })),
  ),
  byType.pipe(
    window(tumbling('1 hour', { grace })),
    aggregate('quest-hour', { events: count(), slowestMs: max('durationMs') }),
    to(warehouse('quest_hour', { freshness, sortKey: ['window_start', 'quest_type'] })),
  ),
  byType.pipe(
    window(tumbling('1 day', { grace })),
    aggregate('quest-day', { events: count(), players: approxDistinct('userId') }),
    to(warehouse('quest_day', { freshness, sortKey: ['window_start', 'quest_type'] })),
  ),
  events.pipe(
    repartition('by-quest-type-and-region', { by: ['questType', 'region'] }),
    window(tumbling('1 day', { grace })),
    aggregate('region-day', { events: count(), completions, gold: sum('rewardGold') }),
    to(warehouse('region_day', { freshness, sortKey: ['window_start', 'region'] })),
  ),
)
