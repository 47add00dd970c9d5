import { where } from 'millrace'
import { expect, test } from 'vitest'
import { event, events } from './events.js'
import { record, run } from './run.js'

test('all fields must match, a list matches any of its elements', () => {
  const { node } = events.pipe(where({ eventType: ['STARTED', 'COMPLETED'], questType: 'hunt' }))
  const { out } = run(node, [
    record(event()),
    record(event({ eventType: 'STARTED' })),
    record(event({ eventType: 'ABANDONED' })),
    record(event({ questType: 'raid' })),
  ])
  expect(out.map(one => (one.value as { eventType: string }).eventType)).toEqual(['COMPLETED', 'STARTED'])
})

test('it says which fields it reads, and does not see later changes of the given object', () => {
  const fields: { questType?: string } = { questType: 'hunt' }
  const { node } = events.pipe(where(fields))
  fields.questType = 'raid'
  expect(run(node, [record(event())]).out).toHaveLength(1)
  expect(node).toMatchObject({ kind: 'where', reads: ['questType'], changesKey: false, changesValue: false })
})
