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
  topic,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

/** `topologies/quest-minute.ts` with what a test sets by environment variables. */
const {
  SOURCE = 'quest-events',
  OUTPUT,
  SIZE = '1 minute',
  GRACE = '30 seconds',
  EMIT,
  IDLE_AFTER = '30 seconds',
  FRESHNESS = '1 second',
  SPLIT,
} = process.env

const events = fromTopic(SOURCE, {
  value: questEvent.pick('questType', 'eventType', 'rewardGold', 'durationMs', 'userId', 'occurredAt'),
  keyColumn: 'userId',
  timestamp: 'occurredAt',
})

const questMinute = events.pipe(
  repartition('by-quest-type', { by: 'questType' }),
  window(tumbling(SIZE as Duration, { grace: GRACE as Duration })),
  aggregate(
    'quest-minute',
    {
      events: count(),
      completions: count({ where: { eventType: 'COMPLETED' } }),
      gold: sum('rewardGold'),
      slowestMs: max('durationMs'),
      players: approxDistinct('userId'),
    },
    { emit: EMIT === 'final' ? 'final' : 'updates' },
  ),
)

export default topology(
  'quest-minute',
  { idleAfter: IDLE_AFTER as Duration },
  OUTPUT === undefined
    ? questMinute.pipe(
        to(
          warehouse('quest_minute', {
            freshness: FRESHNESS as Duration,
            ...(SPLIT && { split: true, coarser: { quest_hour: '1 hour' } }),
          }),
        ),
      )
    : questMinute.pipe(to(topic(OUTPUT))),
)
