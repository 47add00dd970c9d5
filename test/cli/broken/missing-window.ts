import { aggregate, count, fromTopic, repartition, sum, to, topology, warehouse } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

const events = fromTopic('quest-events', { value: questEvent.pick('questType', 'rewardGold') })

export default topology(
  'missing-window',
  events.pipe(
    repartition('by-quest-type', { by: 'questType' }),
    aggregate('quest-minute', { events: count(), gold: sum('rewardGold') }),
    to(warehouse('quest_minute')),
  ),
)
