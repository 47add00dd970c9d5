import { filter } from 'millrace'
import { expect, test } from 'vitest'
import { event, events } from './events.js'
import { record, run } from './run.js'

test('keeps the records for which the predicate is true, as they are', () => {
  const kept = record(event({ rewardGold: 7 }))
  const { out, completed } = run(events.pipe(filter(e => e.rewardGold > 5)).node, [record(event()), kept])
  expect(out).toEqual([kept])
  expect(out[0]).toBe(kept)
  expect(completed).toBe(true)
})

test('the predicate sees the record, too', () => {
  const { node } = events.pipe(filter((_, { key, timestamp }) => key?.key === 'a' && timestamp > 1))
  expect(run(node, [record(event(), 2, 'a'), record(event(), 1, 'a'), record(event(), 2, null)]).out).toHaveLength(1)
})

test('what it throws fails that record only', () => {
  const error = new Error('no')
  const { node } = events.pipe(
    filter(e => {
      if (e.questType === 'bad') throw error
      return true
    }),
  )
  const { out, failures } = run(node, [record(event()), record(event({ questType: 'bad' })), record(event())])
  expect(out).toHaveLength(2)
  expect(failures).toEqual([{ node, thrown: error }])
})

test('it keeps key and value', () => {
  expect(events.pipe(filter(() => true)).node).toMatchObject({ kind: 'filter', changesKey: false, changesValue: false })
})
