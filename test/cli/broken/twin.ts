import { fromTopic, to, topic, topology } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'

export default topology('quest-minute', fromTopic('quest-events', { value: questEvent }).pipe(to(topic('copy'))))
