import { aggregate, count, fromTopic, repartition, to, topology, tumbling, warehouse, window } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

export default topology(
  'unknown-column',
  fromTopic('quest-events', { value: questEvent.pick('questType') }).pipe(
    repartition('by-quest-type', { by: 'questType' }),
    window(tumbling('1 minute')),
    aggregate('quest-minute', { events: count() }),
    to(warehouse('quest_minute', { sortKey: ['window_start', 'questType'], distKey: 'quest_tipe' })),
  ),
)
