import {
  aggregate,
  count,
  type Duration,
  fromTopic,
  max,
  min,
  repartition,
  sum,
  to,
  topic,
  topology,
  tumbling,
  window,
} from 'millrace'
import { questEvent } from '../../schemas/quest-event.js'

/** The job of the roll-up benchmark. Source, output and grace come from the benchmark by environment variables. */
const { SOURCE = 'quest-events', OUTPUT = 'quest-minute', GRACE = '1 day' } = process.env

export default topology(
  'rollup',
  fromTopic(SOURCE, {
    value: questEvent.pick('questType', 'rewardGold', 'durationMs', 'occurredAt'),
    keyColumn: 'userId',
    timestamp: 'occurredAt',
  }).pipe(
    repartition('by-quest-type', { by: 'questType' }),
    window(tumbling('1 minute', { grace: GRACE as Duration })),
    aggregate('quest-minute', {
      events: count(),
      gold: sum('rewardGold'),
      slowestMs: max('durationMs'),
      fastestMs: min('durationMs'),
    }),
    to(topic(OUTPUT)),
  ),
)
