import { reduce, tumbling, window } from 'millrace'
import { expect, test } from 'vitest'
import { TABLE } from '../../src/operators/flow.js'
import { events, type QuestEvent } from './events.js'

test('holds its reducer, and emits updates unless told otherwise', () => {
  const minutes = events.pipe(window(tumbling('1 minute')))
  const richer = (a: QuestEvent, b: QuestEvent) => (b.rewardGold > a.rewardGold ? b : a)
  const table = minutes.pipe(reduce('richest', richer))
  expect(table.state).toBe(TABLE)
  expect(table.node).toEqual({
    kind: 'reduce',
    inputs: [minutes.node],
    name: 'richest',
    reducer: richer,
    emit: 'updates',
  })
  expect(minutes.pipe(reduce('richest', richer, { emit: 'final' })).node).toMatchObject({ emit: 'final' })
  expect(Object.isFrozen(table.node)).toBe(true)
})
