import { mapValues } from 'millrace'
import { expect, test } from 'vitest'
import { event, events, questEvent } from './events.js'
import { record, run } from './run.js'

test('makes a new value; key and timestamp stay', () => {
  const { node } = events.pipe(mapValues((value, { timestamp }) => value.rewardGold + timestamp))
  const one = record(event(), 42)
  expect(run(node, [one]).out).toEqual([{ key: one.key, value: 47, timestamp: 42 }])
})

test('what it throws fails that record only', () => {
  const { node } = events.pipe(mapValues(e => (e.durationMs as number).toFixed(1)))
  const { out, failures } = run(node, [record(event({ durationMs: null })), record(event())])
  expect(out.map(one => one.value)).toEqual(['1000.0'])
  expect(failures).toEqual([{ node, thrown: expect.any(TypeError) }])
})

test('it keeps the key, and a schema where one is given', () => {
  const { node } = events.pipe(mapValues(value => value, { value: questEvent }))
  expect(node).toMatchObject({ kind: 'map-values', changesKey: false, changesValue: true, value: questEvent })
})
