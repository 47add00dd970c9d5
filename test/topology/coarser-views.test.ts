import {
  aggregate,
  aggregator,
  approxDistinct,
  count,
  double,
  filter,
  first,
  fromTopic,
  max,
  mean,
  min,
  type Output,
  reduce,
  repartition,
  sum,
  to,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import { coarserViews } from '../../src/topology/coarser-views.js'
import { events, type QuestEvent, questEvent } from '../operators/events.js'

function viewsOf(output: Output) {
  if (output.node.kind !== 'to-warehouse') throw new Error('no warehouse')
  return coarserViews(output.node)
}

const gold = double((e: QuestEvent) => e.rewardGold)
const minutes = events.pipe(repartition('r', { by: 'questType' }), window(tumbling('1 minute')))

describe('coarserViews', () => {
  test('sum up what can be summed, under the names of the table, and say what is left out', () => {
    const table = minutes.pipe(
      aggregate('n', {
        events: count(),
        gold: sum('rewardGold'),
        minutes: sum(double(e => e.rewardGold / 60)),
        slowest: max('durationMs'),
        quickest: min('durationMs'),
        players: approxDistinct('userId'),
        opening: first('userId'),
        own: aggregator({ state: 'long', zero: 0, add: (n, _: unknown) => n + 1, column: 'long' }),
      }),
    )
    const sizes = { hour: '1 hour', day: '1 day' } as const
    const [hour, day] = viewsOf(
      table.pipe(to(warehouse('s.t', { coarser: sizes, rename: { gold: 'coins', quest_type: 'type' } }))),
    )
    expect(hour).toEqual({
      name: 'hour',
      size: 3_600_000,
      groupBy: ['type'],
      windowStart: 'window_start',
      windowEnd: 'window_end',
      measures: [
        { column: 'events', by: 'sum' },
        { column: 'coins', by: 'sum' },
        { column: 'minutes', by: 'sum' },
        { column: 'slowest', by: 'max' },
        { column: 'quickest', by: 'min' },
      ],
      leftOut: ['players', 'opening', 'own'],
    })
    expect(day).toEqual({ ...hour, name: 'day', size: 86_400_000 })
    expect(viewsOf(table.pipe(to(warehouse('t'))))).toEqual([])
  })

  test.each([
    ['its sum and its count', { m: mean('rewardGold'), s: sum('rewardGold'), c: count() }, true],
    ['no sum', { m: mean('rewardGold'), c: count() }, false],
    ['no count', { m: mean('rewardGold'), s: sum('rewardGold') }, false],
    [
      'a count of other records',
      { m: mean('rewardGold'), s: sum('rewardGold'), c: count<QuestEvent>({ where: { eventType: 'STARTED' } }) },
      false,
    ],
    [
      'sum and count of the same records',
      {
        m: mean<QuestEvent>('rewardGold', { where: { eventType: ['STARTED', 'COMPLETED'] } }),
        s: sum<QuestEvent>('rewardGold', { where: { eventType: ['STARTED', 'COMPLETED'] } }),
        c: count<QuestEvent>({ where: { eventType: ['STARTED', 'COMPLETED'] } }),
      },
      true,
    ],
    [
      'a field that may be null, which the count counts',
      { m: mean('durationMs'), s: sum('durationMs'), c: count() },
      false,
    ],
    ['an expression, which may answer null', { m: mean(gold), s: sum(gold), c: count() }, false],
  ] as const)('sum a mean up where the table holds %s', (_, measures, summed) => {
    const output = minutes.pipe(aggregate('n', measures as never), to(warehouse('t', { coarser: { h: '1 hour' } })))
    const [view] = viewsOf(output)
    const found = view?.measures.find(({ column }) => column === 'm')
    expect(found).toEqual(summed ? { column: 'm', by: 'mean', sum: 's', count: 'c' } : undefined)
    expect(view?.leftOut.includes('m')).toBe(!summed)
  })

  test('leave a mean out where records may be null, which only the count counts', () => {
    const nullable = fromTopic('quest-events', { value: questEvent, nullValues: 'keep' }).pipe(
      filter(() => true),
      repartition('r', { by: 'questType' }),
      window(tumbling('1 minute')),
      aggregate('n', { m: mean('rewardGold'), s: sum('rewardGold'), c: count() }),
      to(warehouse('t', { coarser: { h: '1 hour' } })),
    )
    expect(viewsOf(nullable)[0]?.leftOut).toEqual(['m'])
  })

  test('sum nothing of a reduce up', () => {
    const [view] = viewsOf(
      minutes.pipe(
        reduce('n', a => a),
        to(warehouse('t', { coarser: { h: '1 hour' } })),
      ),
    )
    expect(view?.measures).toEqual([])
    expect(view?.leftOut).toContain('reward_gold')
  })
})
