import {
  aggregate,
  aggregator,
  avro,
  count,
  double,
  filter,
  first,
  flatMap,
  fromTopic,
  globalWindow,
  last,
  long,
  map,
  mapValues,
  max,
  mean,
  min,
  peek,
  reduce,
  repartition,
  rx,
  select,
  sum,
  timestamp,
  to,
  topic,
  toStream,
  tumbling,
  where,
  window,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import type { Measure } from '../../src/topology/measure.js'
import type { Node } from '../../src/topology/node.js'
import {
  type FieldShape,
  keyShape,
  outputKeyShape,
  resolveMeasure,
  tableOf,
  tableShape,
  valueShape,
  WINDOW_COLUMNS,
  windowOf,
} from '../../src/topology/shape.js'
import { events, type QuestEvent, questEvent } from '../operators/events.js'

/** A shape as text: `gold int`, `durationMs long?`, `windowStart timestamp Date`. */
function shown(shape: readonly FieldShape[] | undefined): readonly string[] | undefined {
  return shape?.map(({ date, name, nullable, type }) => `${name} ${type}${nullable ? '?' : ''}${date ? ' Date' : ''}`)
}

const VALUE = [
  'questType text',
  'eventType text',
  'rewardGold int',
  'durationMs long?',
  'userId text',
  'occurredAt timestamp',
]
const minutes = window<{ readonly key: string }, QuestEvent, ReturnType<typeof tumbling>>(tumbling('1 minute'))

function tableNode(node: Node) {
  const table = tableOf(node)
  if (table === undefined) throw new Error('no table')
  return table
}

describe('valueShape', () => {
  test('a source has the fields of its schema, with schemas that stand alone', () => {
    expect(shown(valueShape(events.node))).toEqual(VALUE)
    expect(valueShape(events.node)?.map(field => field.schema)).toEqual([
      'string',
      { type: 'enum', name: 'test.EventType', symbols: ['STARTED', 'COMPLETED', 'ABANDONED'] },
      'int',
      ['null', 'long'],
      'string',
      { type: 'long', logicalType: 'timestamp-millis' },
    ])
  })

  test('filter, where, peek, repartition, window and sinks keep it', () => {
    const kept = events.pipe(
      filter(() => true),
      where({ questType: 'hunt' }),
      peek(() => {}),
      repartition('r', { by: 'questType' }),
    )
    expect(valueShape(kept.pipe(window(tumbling('1 minute'))).node)).toEqual(valueShape(events.node))
    expect(valueShape(kept.pipe(to(topic('x'))).node)).toEqual(valueShape(events.node))
  })

  test('select has its fields; expressions may be null, timestamps of them are Dates', () => {
    const { node } = events.pipe(
      select({
        type: 'questType',
        d: 'durationMs',
        when: 'occurredAt',
        minutes: double(e => e.rewardGold),
        at: timestamp(e => e.occurredAt),
      }),
    )
    expect(shown(valueShape(node))).toEqual([
      'type text',
      'd long?',
      'when timestamp',
      'minutes double?',
      'at timestamp? Date',
    ])
    expect(valueShape(node)?.at(-1)?.schema).toEqual(['null', { type: 'long', logicalType: 'timestamp-millis' }])
  })

  test('map, mapValues, flatMap and rx lose it, unless a schema says it', () => {
    const schema = avro<{ gold: number }>({ type: 'record', name: 'G', fields: [{ name: 'gold', type: 'int' }] })
    const gold = { gold: 1 }
    const untyped = [
      events.pipe(map(() => ({ key: null, value: gold }))),
      events.pipe(mapValues(() => gold)),
      events.pipe(flatMap(() => [{ value: gold }])),
      events.pipe(rx('x', records$ => records$)),
    ]
    expect(untyped.map(flow => valueShape(flow.node))).toEqual([undefined, undefined, undefined, undefined])
    const typed = [
      events.pipe(map(() => ({ key: null, value: gold }), { value: schema })),
      events.pipe(mapValues(() => gold, { value: schema })),
      events.pipe(flatMap(() => [{ value: gold }], { value: schema })),
    ]
    expect(typed.map(flow => shown(valueShape(flow.node)))).toEqual([['gold int'], ['gold int'], ['gold int']])
    expect(
      valueShape(
        events.pipe(
          mapValues(() => gold),
          filter(() => true),
        ).node,
      ),
    ).toBeUndefined()
  })

  test('select of typed expressions needs no shape above it, select of a name does', () => {
    const mapped = events.pipe(mapValues(e => ({ gold: e.rewardGold })))
    expect(shown(valueShape(mapped.pipe(select({ gold: long(e => e.gold) })).node))).toEqual(['gold long?'])
    expect(valueShape(mapped.pipe(select({ gold: 'gold' })).node)).toBeUndefined()
  })

  test('toStream holds key, window and measures together', () => {
    const rows = events.pipe(
      repartition('r', { by: 'questType' }),
      window(tumbling('1 minute')),
      aggregate('n', { c: count(), slowest: max('durationMs') }),
      toStream(),
    )
    const expected = [
      'questType text',
      'windowStart timestamp Date',
      'windowEnd timestamp Date',
      'c long',
      'slowest long?',
    ]
    expect(shown(valueShape(rows.node))).toEqual(expected)
    expect(shown(keyShape(rows.node))).toEqual(expected.slice(0, 3))
  })
})

describe('keyShape', () => {
  test('a source has one column of text, or the fields of its key schema', () => {
    expect(shown(keyShape(events.node))).toEqual(['key text'])
    expect(shown(keyShape(fromTopic('x', { value: questEvent, keyColumn: 'user' }).node))).toEqual(['user text'])
    const keyed = fromTopic('x', { value: questEvent, key: questEvent.pick('userId', 'occurredAt', 'durationMs') })
    expect(shown(keyShape(keyed.node))).toEqual(['durationMs long?', 'userId text', 'occurredAt timestamp Date'])
  })

  test('a repartition has its columns; timestamps are Dates, expressions are not null', () => {
    const { node } = events.pipe(
      repartition('r', { by: { type: 'questType', at: 'occurredAt', d: 'durationMs', hour: long(e => e.occurredAt) } }),
    )
    expect(shown(keyShape(node))).toEqual(['type text', 'at timestamp Date', 'd long?', 'hour long'])
    expect(shown(keyShape(events.pipe(repartition('same')).node))).toEqual(['key text'])
  })

  test('mapValues and select keep it, map, flatMap and rx lose it, unless a schema says it', () => {
    const kept = events.pipe(
      mapValues(value => value),
      select({ gold: long(() => 1) }),
    )
    expect(shown(keyShape(kept.node))).toEqual(['key text'])
    const lost = [
      events.pipe(map(record => record)),
      events.pipe(flatMap(record => [record])),
      events.pipe(rx('x', records$ => records$)),
    ]
    expect(lost.map(flow => keyShape(flow.node))).toEqual([undefined, undefined, undefined])
    const userId = questEvent.pick('userId')
    const said = events.pipe(map(({ value }) => ({ key: { userId: value.userId }, value }), { key: userId }))
    expect(shown(keyShape(said.node))).toEqual(['userId text'])
    expect(shown(keyShape(lost[0]!.pipe(repartition('r', { by: { a: long(() => 1) } })).node))).toEqual(['a long'])
  })
})

describe('tableShape', () => {
  test('measures have the columns, schemas and nullability of their aggregations', () => {
    const { node } = events.pipe(
      minutes,
      aggregate('n', {
        c: count(),
        gold: sum('rewardGold'),
        mean: mean('durationMs'),
        at: min('occurredAt'),
        type: first('questType'),
        what: last('eventType'),
        tax: sum(double(e => e.rewardGold * 0.1)),
      }),
    )
    const shape = tableShape(tableNode(node))
    expect(shape.windowed).toBe(true)
    expect(shown(shape.key)).toEqual(['key text'])
    expect(shown(shape.measures)).toEqual([
      'c long',
      'gold long',
      'mean double?',
      'at timestamp? Date',
      'type text?',
      'what text?',
      'tax double',
    ])
    expect(shape.measures?.map(measure => measure.schema).slice(0, 3)).toEqual(['long', 'long', ['null', 'double']])
  })

  test('a measure that no column holds is other', () => {
    const pair = { type: 'record', name: 'Pair', fields: [{ name: 'n', type: 'int' }] }
    const table = events.pipe(
      minutes,
      aggregate('n', { pair: aggregator({ state: pair, zero: { n: 0 }, add: s => ({ n: s.n + 1 }) }) }),
    )
    expect(tableShape(tableNode(table.node)).measures).toMatchObject([{ name: 'pair', type: 'other', schema: pair }])
  })

  test('the global window has no window columns', () => {
    const table = events.pipe(window(globalWindow()), aggregate('n', { c: count() }))
    expect(tableShape(tableNode(table.node)).windowed).toBe(false)
    expect(shown(keyShape(table.pipe(toStream()).node))).toEqual(['key text'])
    expect(windowOf(tableNode(table.node))?.type).toBe('global')
  })

  test('a reduce has the fields of its value', () => {
    const table = events.pipe(
      minutes,
      reduce('n', a => a),
    )
    expect(shown(tableShape(tableNode(table.node)).measures)).toEqual(VALUE)
  })

  test('a topic of a table is keyed by key and window', () => {
    const output = (flow: { node: Node }): readonly string[] | undefined => {
      if (flow.node.kind !== 'to-topic') throw new Error('no topic')
      return shown(outputKeyShape(flow.node))
    }
    expect(output(events.pipe(to(topic('x'))))).toEqual(['key text'])
    expect(output(events.pipe(minutes, aggregate('n', { c: count() }), to(topic('x'))))).toEqual([
      'key text',
      'windowStart timestamp Date',
      'windowEnd timestamp Date',
    ])
  })
})

/** Without the compiler's check of the field. */
const sumOf: (field: string) => Measure = sum as never

describe('resolveMeasure', () => {
  test('takes the type of a field or of an expression', () => {
    const shape = valueShape(events.node)
    expect(resolveMeasure(sumOf('rewardGold'), shape).column).toBe('long')
    expect(resolveMeasure(sum(double(() => 1)), undefined).column).toBe('double')
    expect(resolveMeasure(count(), undefined).column).toBe('long')
  })

  test('refuses a type that the aggregate does not take, and a field of unknown type', () => {
    const shape = valueShape(events.node)
    expect(() => resolveMeasure(sumOf('questType'), shape)).toThrow(/sum takes .* is text/)
    expect(() => resolveMeasure(sumOf('questType'), undefined)).toThrow(/unknown type/)
  })
})

test('the window columns are timestamps, and Dates in memory', () => {
  expect(shown(WINDOW_COLUMNS)).toEqual(['windowStart timestamp Date', 'windowEnd timestamp Date'])
})
