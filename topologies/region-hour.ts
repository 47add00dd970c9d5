import {
  aggregate,
  approxDistinct,
  count,
  fromTopic,
  mean,
  repartition,
  sum,
  to,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { questEvent } from '../schemas/quest-event.js'

const events = fromTopic('quest-events', {
  value: questEvent.pick('region', 'eventType', 'rewardGold', 'durationMs', 'userId', 'occurredAt'),
  keyColumn: 'userId',
  timestamp: 'occurredAt',
})

const regionHour = events.pipe(
  repartition('by-region', { by: 'region' }),
  window(tumbling('1 hour', { grace: '30 seconds' })),
  aggregate(
    'region-hour',
    {
      events: count(),
      abandoned: count({ where: { eventType: 'ABANDONED' } }),
      gold: sum('rewardGold'),
      meanDurationMs: mean('durationMs', { where: { eventType: ['COMPLETED', 'ABANDONED'] } }),
      players: approxDistinct('userId'),
    },
    { emit: 'final' },
  ),
)

export default topology(
  'region-hour',
  regionHour.pipe(to(warehouse('region_hour', { sortKey: ['window_start', 'region'] }))),
)
