import { long, repartition } from 'millrace'
import { expect, test } from 'vitest'
import { events } from './events.js'

test('a field, a list of fields and computed columns become key columns', () => {
  expect(events.pipe(repartition('one', { by: 'questType' })).node).toEqual({
    kind: 'repartition',
    inputs: [events.node],
    name: 'one',
    by: [{ name: 'questType', input: 'questType' }],
  })
  expect(events.pipe(repartition('two', { by: ['questType', 'userId'], partitions: 12 })).node).toMatchObject({
    by: [
      { name: 'questType', input: 'questType' },
      { name: 'userId', input: 'userId' },
    ],
    partitions: 12,
  })
  const hour = long(e => Math.floor((e as { occurredAt: number }).occurredAt / 3_600_000))
  expect(events.pipe(repartition('three', { by: { type: 'questType', hour } })).node).toMatchObject({
    by: [
      { name: 'type', input: 'questType' },
      { name: 'hour', input: hour },
    ],
  })
})

test('without `by` the key stays', () => {
  expect(events.pipe(repartition('same')).node).toMatchObject({ name: 'same', by: [] })
})

test('the node is frozen, its columns too', () => {
  const { node } = events.pipe(repartition('one', { by: 'questType' }))
  expect(node.kind === 'repartition' && [node, node.by, ...node.by].every(Object.isFrozen)).toBe(true)
})
