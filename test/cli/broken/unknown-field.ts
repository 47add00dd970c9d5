import { aggregate, count, fromTopic, repartition, sum, to, topology, tumbling, warehouse, window } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

const events = fromTopic('quest-events', {
  value: questEvent.pick('questType', 'rewardGold', 'occurredAt'),
  timestamp: 'occurredAt',
})

export default topology(
  'unknown-field',
  events.pipe(
    repartition('by-quest-type', { by: 'questType' }),
    window(tumbling('1 minute')),
    aggregate('quest-minute', { events: count(), gold: sum('rewardGld') }),
    to(warehouse('quest_minute')),
  ),
)
