import {
  aggregate,
  approxDistinct,
  count,
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
import { questEvent } from '../schemas/quest-event.js'

const events = fromTopic('quest-events', {
  value: questEvent.pick('questType', 'eventType', 'rewardGold', 'durationMs', 'userId', 'occurredAt'),
  keyColumn: 'userId',
  timestamp: 'occurredAt',
})

const questMinute = events.pipe(
  repartition('by-quest-type', { by: 'questType' }),
  window(tumbling('1 minute', { grace: '30 seconds' })),
  aggregate('quest-minute', {
    events: count(),
    completions: count({ where: { eventType: 'COMPLETED' } }),
    gold: sum('rewardGold'),
    slowestMs: max('durationMs'),
    players: approxDistinct('userId'),
  }),
)

export default topology(
  'quest-minute',
  questMinute.pipe(to(warehouse('quest_minute', { freshness: '60 seconds', sortKey: ['window_start', 'quest_type'] }))),
)
