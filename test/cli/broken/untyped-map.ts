import {
  aggregate,
  count,
  fromTopic,
  mapValues,
  repartition,
  to,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

export default topology(
  'untyped-map',
  fromTopic('quest-events', { value: questEvent.pick('questType', 'region') }).pipe(
    mapValues(event => ({ kind: `${event.region}/${event.questType}` })),
    repartition('by-kind', { by: 'kind' }),
    window(tumbling('1 minute')),
    aggregate('kind-minute', { events: count() }),
    to(warehouse('kind_minute')),
  ),
)
