import { rx } from 'millrace'
import { filter, map, pairwise, take } from 'rxjs'
import { expect, test } from 'vitest'
import { event, events } from './events.js'
import { record, run } from './run.js'

test('runs any synchronous operators, and passes on records of three fields', () => {
  const { node } = events.pipe(
    rx('rising', records$ =>
      records$.pipe(
        pairwise(),
        filter(([a, b]) => b.value.rewardGold > a.value.rewardGold),
        map(([, b]) => ({ ...b, extra: true, value: b.value.rewardGold })),
      ),
    ),
  )
  const golds = [1, 3, 2, 5]
  const { out, completed } = run(
    node,
    golds.map((rewardGold, i) => record(event({ rewardGold }), i)),
  )
  expect(out).toEqual([
    { key: { key: 'k' }, value: 3, timestamp: 1 },
    { key: { key: 'k' }, value: 5, timestamp: 3 },
  ])
  expect(completed).toBe(true)
  expect(node).toMatchObject({ kind: 'rx', name: 'rising', changesKey: true, changesValue: true })
})

test('an error fails the record in hand, and the stream goes on with fresh operators', () => {
  const { node } = events.pipe(
    rx('count', records$ =>
      records$.pipe(
        map((one, index) => {
          if (one.value.questType === 'bad') throw new Error('no')
          return { ...one, value: index }
        }),
      ),
    ),
  )
  const records = ['hunt', 'hunt', 'bad', 'hunt', 'bad', 'hunt', 'hunt'].map(questType => record(event({ questType })))
  const { out, failures } = run(node, records)
  expect(out.map(one => one.value)).toEqual([0, 1, 0, 0, 1])
  expect(failures).toEqual([
    { node, thrown: new Error('no') },
    { node, thrown: new Error('no') },
  ])
})

test('operators that complete end the stream', () => {
  const { out, completed } = run(events.pipe(rx('first', records$ => records$.pipe(take(1)))).node, [
    record(event()),
    record(event()),
  ])
  expect(out).toHaveLength(1)
  expect(completed).toBe(true)
})
