import { aggregate, count, fromTopic, repartition, sum, to, topology, tumbling, warehouse, window } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

const byType = fromTopic('quest-events', { value: questEvent.pick('questType', 'rewardGold') }).pipe(
  repartition('by-quest-type', { by: 'questType' }),
)

export default topology(
  'duplicate-name',
  byType.pipe(window(tumbling('1 minute')), aggregate('quests', { events: count() }), to(warehouse('quest_minute'))),
  byType.pipe(
    window(tumbling('1 hour')),
    aggregate('quests', { gold: sum('rewardGold') }),
    to(warehouse('quest_hour')),
  ),
)
