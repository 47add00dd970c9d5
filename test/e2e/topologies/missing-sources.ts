import { filter, fromTopic, to, topic, topology } from 'millrace'
import { questEvent } from '../../../schemas/quest-event.js'
import { user } from '../../../schemas/user.js'

export default topology(
  'missing-sources',
  fromTopic('nobody-made-quests', { value: questEvent }).pipe(
    filter(() => true),
    to(topic('copied-quests')),
  ),
  fromTopic('nobody-made-users', { value: user }).pipe(
    filter(() => true),
    to(topic('copied-users')),
  ),
)
