import { double, fromTopic, select, timestamp } from 'millrace'
import { expect, test } from 'vitest'
import { event, events, questEvent } from './events.js'
import { record, run } from './run.js'

test('makes a value of named fields and expressions, in their order', () => {
  const { node } = events.pipe(
    select({ type: 'questType', minutes: double(e => (e.durationMs ?? 0) / 60_000), at: timestamp(e => e.occurredAt) }),
  )
  const { out } = run(node, [record(event({ durationMs: 90_000 }), 42)])
  expect(out).toEqual([
    { key: { key: 'k' }, value: { type: 'hunt', minutes: 1.5, at: new Date(1_000) }, timestamp: 42 },
  ])
  expect(Object.keys(out[0]?.value as object)).toEqual(['type', 'minutes', 'at'])
  expect(node).toMatchObject({ kind: 'select', changesKey: false, changesValue: true, fields: { type: 'questType' } })
})

test('a null value stays null', () => {
  const source = fromTopic('quest-events', { value: questEvent, nullValues: 'keep' })
  const { node } = source.pipe(select({ type: 'questType', gold: double(e => e.rewardGold) }))
  expect(run(node, [record(null)]).out).toEqual([{ key: { key: 'k' }, value: null, timestamp: 1_000 }])
})

test('what an expression throws, and an answer of another type, fail that record only', () => {
  const { node } = events.pipe(
    select({ gold: double(e => (e.rewardGold === 1 ? (e.questType as never) : e.rewardGold)) }),
  )
  const { out, failures } = run(node, [record(event({ rewardGold: 1 })), record(event({ rewardGold: 2 }))])
  expect(out.map(one => one.value)).toEqual([{ gold: 2 }])
  expect(failures).toEqual([{ node, thrown: expect.objectContaining({ code: 'USER_CODE' }) }])
})
