import { aggregate, count, fromTopic, repartition, to, topic, topology, tumbling, window } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

setTimeout(() => Promise.reject(new Error('nobody caught this')), 1_000)

const events = fromTopic('quest-events', { value: questEvent.pick('questType') })

export default topology(
  'unhandled',
  events.pipe(
    repartition('by-type', { by: 'questType' }),
    window(tumbling('1 minute')),
    aggregate('types', { events: count() }),
    to(topic('types-out')),
  ),
)
