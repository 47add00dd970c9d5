import { map } from 'millrace'
import { expect, test } from 'vitest'
import { event, events, questEvent } from './events.js'
import { record, run } from './run.js'

test('makes a record of three fields, with the timestamp that it had', () => {
  const { node } = events.pipe(
    map(({ key, value, timestamp }) => ({
      key: { user: `${key?.key}!` },
      value: [value.rewardGold, timestamp],
      extra: 1,
    })),
  )
  expect(run(node, [record(event(), 42)]).out).toEqual([{ key: { user: 'k!' }, value: [5, 42], timestamp: 42 }])
})

test('the key may be null', () => {
  const { node } = events.pipe(map(({ value }) => ({ key: null, value })))
  expect(run(node, [record(event())]).out[0]?.key).toBeNull()
})

test('what it throws, and an answer that is no record, fail that record only', () => {
  const { node } = events.pipe(
    map(({ value }) => {
      if (value.rewardGold === 1) throw new Error('no')
      return value.rewardGold === 2 ? (undefined as never) : { key: null, value }
    }),
  )
  const { out, failures } = run(
    node,
    [1, 2, 3].map(rewardGold => record(event({ rewardGold }))),
  )
  expect(out).toHaveLength(1)
  expect(failures.map(failure => failure.thrown)).toEqual([new Error('no'), expect.any(TypeError)])
})

test('schemas are on the node only where they are given', () => {
  expect(events.pipe(map(() => ({ key: null, value: 1 }))).node).toEqual(
    expect.not.objectContaining({ value: expect.anything() }),
  )
  const { node } = events.pipe(map(({ value }) => ({ key: null, value }), { value: questEvent, key: questEvent }))
  expect(node).toMatchObject({ kind: 'map', changesKey: true, changesValue: true, value: questEvent, key: questEvent })
})
