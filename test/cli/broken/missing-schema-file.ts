import { aggregate, count, fromTopic, repartition, to, topology, tumbling, warehouse, window } from 'millrace'
import { raidEvent } from '../../../schemas/raid-event.js'

export default topology(
  'missing-schema-file',
  fromTopic('raid-events', { value: raidEvent }).pipe(
    repartition('by-boss', { by: 'boss' }),
    window(tumbling('1 minute')),
    aggregate('boss-minute', { raids: count() }),
    to(warehouse('boss_minute')),
  ),
)
