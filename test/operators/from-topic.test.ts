import { fromTopic } from 'millrace'
import { expect, test } from 'vitest'
import { questEvent } from './events.js'

test('reads text keys into the column "key" and skips null values, unless told otherwise', () => {
  expect(fromTopic('quest-events', { value: questEvent }).node).toEqual({
    kind: 'source',
    inputs: [],
    topic: 'quest-events',
    value: questEvent,
    keyColumn: 'key',
    nullValues: 'skip',
  })
})

test('takes the key column, a key schema, event time and null values', () => {
  const timestamp = (value: { occurredAt: number }) => value.occurredAt
  const { node } = fromTopic('quest-events', {
    value: questEvent,
    key: questEvent.pick('userId'),
    keyColumn: 'user',
    timestamp,
    nullValues: 'keep',
  })
  expect(node).toMatchObject({ keyColumn: 'user', timestamp, nullValues: 'keep', key: { schema: expect.anything() } })
  expect(Object.isFrozen(node) && Object.isFrozen(node.inputs)).toBe(true)
})
