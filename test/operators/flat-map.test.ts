import { flatMap } from 'millrace'
import { expect, test } from 'vitest'
import { event, events } from './events.js'
import { record, run } from './run.js'

test('makes any number of records, in order; timestamp and, where none is named, key stay', () => {
  const { node } = events.pipe(
    flatMap(function* ({ value }) {
      for (let i = 0; i < value.rewardGold; i++) yield i === 1 ? { key: { key: 'one' }, value: i } : { value: i }
      if (value.rewardGold === 3) yield { key: null, value: 9 }
    }),
  )
  const { out } = run(node, [record(event({ rewardGold: 0 })), record(event({ rewardGold: 3 }), 42)])
  expect(out).toEqual([
    { key: { key: 'k' }, value: 0, timestamp: 42 },
    { key: { key: 'one' }, value: 1, timestamp: 42 },
    { key: { key: 'k' }, value: 2, timestamp: 42 },
    { key: null, value: 9, timestamp: 42 },
  ])
  expect(node).toMatchObject({ kind: 'flat-map', changesKey: true, changesValue: true })
})

test('when its iterable throws, none of the records goes on', () => {
  const { node } = events.pipe(
    flatMap(function* ({ value }) {
      yield { value: 1 }
      if (value.questType === 'bad') throw new Error('no')
    }),
  )
  const { out, failures } = run(node, [record(event({ questType: 'bad' })), record(event())])
  expect(out).toHaveLength(1)
  expect(failures).toEqual([{ node, thrown: new Error('no') }])
})
