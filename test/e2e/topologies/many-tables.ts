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
import { questEvent } from '../../../schemas/quest-event.js'

/** The rows of `quest-minute.ts` in as many tables as TABLES says: `quest_minute`, `quest_minute_1`, `quest_minute_2`, … */
const { SOURCE = 'quest-events', TABLES = '64' } = process.env

const rows = fromTopic(SOURCE, {
  value: questEvent.pick('questType', 'eventType', 'rewardGold', 'durationMs', 'userId', 'occurredAt'),
  keyColumn: 'userId',
  timestamp: 'occurredAt',
}).pipe(
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

const table = (i: number) =>
  rows.pipe(to(warehouse(i === 0 ? 'quest_minute' : `quest_minute_${i}`, { freshness: '40 seconds' })))

export default topology(
  'quest-minute',
  { idleAfter: '30 seconds' },
  table(0),
  ...Array.from({ length: Number(TABLES) - 1 }, (_, i) => table(i + 1)),
)
