import { aggregate, count, sum, tumbling, window } from 'millrace'
import { expect, test } from 'vitest'
import { TABLE } from '../../src/operators/flow.js'
import { events } from './events.js'

test('holds its measures in their order, and emits updates unless told otherwise', () => {
  const minutes = events.pipe(window(tumbling('1 minute')))
  const measures = { events: count(), gold: sum('rewardGold') }
  const table = minutes.pipe(aggregate('quest-minute', { events: count(), gold: sum('rewardGold') }))
  expect(table.state).toBe(TABLE)
  expect(table.node).toMatchObject({ kind: 'aggregate', inputs: [minutes.node], name: 'quest-minute', emit: 'updates' })
  expect(table.node.kind === 'aggregate' && Object.keys(table.node.measures)).toEqual(Object.keys(measures))
  expect(minutes.pipe(aggregate('n', { c: count() }, { emit: 'final' })).node).toMatchObject({ emit: 'final' })
  expect(table.node.kind === 'aggregate' && [table.node, table.node.measures].every(Object.isFrozen)).toBe(true)
})
