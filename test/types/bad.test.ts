import { beforeAll, describe, expect, test } from 'vitest'
import { compile, type Said } from './compile.js'

const PRELUDE = `
import * as m from 'millrace'
const { aggregate, aggregator, approxDistinct, count, distinct, double, filter, first, flatMap, fromTopic, globalWindow, hopping, long, map,
  mapValues, max, mean, min, peek, reduce, repartition, select, sum, text, to, topic, topology, toStream, tumbling, warehouse, where, window } = m
interface QuestEvent { questType: string; eventType: 'STARTED' | 'COMPLETED'; rewardGold: number; durationMs: number | null; userId: string; occurredAt: number }
const questEvent = m.avro<QuestEvent>({ type: 'record', name: 'QuestEvent', fields: [] })
const small = m.avro<{ kind: 'A' | 'B'; gold: number }>({ type: 'record', name: 'Small', fields: [] })
const events = fromTopic('quest-events', { value: questEvent.pick('questType', 'eventType', 'rewardGold', 'durationMs', 'occurredAt'), timestamp: 'occurredAt' })
const nullable = fromTopic('quest-events', { value: questEvent, nullValues: 'keep' })
const minutes = window(tumbling('1 minute'))
const table = events.pipe(repartition('r', { by: 'questType' }), window(tumbling('1 minute')), aggregate('n', { c: count(), gold: sum('rewardGold') }))
`

/** Each has one mistake, on the line that ends with `// !`; the message that the compiler ends with, in part. */
const MISTAKES: readonly (readonly [title: string, text: string, message: RegExp])[] = [
  [
    'a field that was not picked, in a measure among good ones',
    `events.pipe(
  repartition('r', { by: 'questType' }),
  window(tumbling('1 minute')),
  aggregate('n', {
    c: count(),
    gold: sum('rewardGold'),
    players: approxDistinct('userId'), // !
  }))`,
    /"userId"/,
  ],
  [
    'a field that was not picked, in max',
    `events.pipe(
  window(tumbling('1 minute')),
  aggregate('n', {
    slowest: max('durationMs'),
    players: max('userId'), // !
  }))`,
    /"userId"/,
  ],
  [
    'an unknown field in an expression',
    `events.pipe(
  window(tumbling('1 minute')),
  aggregate('n', {
    c: count(),
    t: sum(double(e => e.nope)), // !
  }))`,
    /Property 'nope' does not exist/,
  ],
  [
    'aggregate without a window',
    `events.pipe(
  filter(e => e.rewardGold > 0),
  repartition('r', { by: 'questType' }),
  aggregate('n', { c: count(), gold: sum('rewardGold') }), // !
  to(topic('x')))`,
    /"a stream"' is not assignable to type '"a windowed stream: window\(\.\.\.\) comes before it/,
  ],
  [
    'reduce without a window',
    `events.pipe(
  reduce('n', (a, b) => a)) // !`,
    /"a stream"' is not assignable to type '"a windowed stream/,
  ],
  [
    'filter between window and aggregate',
    `events.pipe(
  window(tumbling('1 minute')),
  filter(e => e.rewardGold > 0), // !
  aggregate('n', { c: count() }))`,
    /"a windowed stream: .*' is not assignable to type '"a stream"/,
  ],
  [
    'a windowed stream as output',
    `events.pipe(
  window(tumbling('1 minute')),
  to(topic('x'))) // !`,
    /"a windowed stream: .*' is not assignable to type '"a stream"/,
  ],
  [
    'filter behind a table',
    `table.pipe(
  filter(() => true)) // !`,
    /"a table: .*' is not assignable to type '"a stream"/,
  ],
  [
    'a stream into a warehouse',
    `events.pipe(
  to(warehouse('x'))) // !`,
    /"a stream"' is not assignable to type '"a table: the result of aggregate\(\.\.\.\) or reduce\(\.\.\.\)"/,
  ],
  [
    'toStream of a stream',
    `events.pipe(
  toStream()) // !`,
    /"a stream"' is not assignable to type '"a table: /,
  ],
  [
    'a value that the field cannot have, in where',
    `events.pipe(
  where({ eventType: 'COMPLETE' })) // !`,
    /Did you mean '"COMPLETED"'/,
  ],
  [
    'a value that the field cannot have, in a list of where',
    `events.pipe(
  where({ eventType: ['STARTED', 'COMPLETE'] })) // !`,
    /Did you mean '"COMPLETED"'/,
  ],
  [
    'an unknown field in where',
    `events.pipe(
  where({ eventType: 'STARTED', level: 3 })) // !`,
    /'level' does not exist/,
  ],
  [
    'a sort key that is a field and no column',
    `events.pipe(
  repartition('r', { by: 'questType' }),
  window(tumbling('1 minute')),
  aggregate('n', { c: count(), gold: sum('rewardGold') }),
  to(warehouse('t', { sortKey: ['questType'] }))) // !`,
    /Did you mean '"quest_type"'/,
  ],
  [
    'a distribution key that does not exist',
    `table.pipe(
  to(warehouse('t', { distKey: 'region' }))) // !`,
    /"region"/,
  ],
  [
    'a renamed column that does not exist',
    `table.pipe(
  to(warehouse('t', { rename: { goldd: 'g' } }))) // !`,
    /'goldd'|"goldd"|goldd/,
  ],
  [
    'a length of a column that does not exist',
    `table.pipe(
  to(warehouse('t', { maxBytes: { quest_typ: 100 } }))) // !`,
    /quest_typ/,
  ],
  [
    'a view of windows of no duration',
    `table.pipe(
  to(warehouse('t', { coarser: { quest_hour: '1 fortnight' } }))) // !`,
    /"1 fortnight"' is not assignable/,
  ],
  [
    'window columns of a table without windows',
    `events.pipe(
  window(globalWindow()),
  aggregate('n', { c: count() }),
  to(warehouse('t', { sortKey: 'window_start' }))) // !`,
    /"window_start"/,
  ],
  [
    'a flow without an end',
    `topology('x',
  events.pipe(filter(e => e.rewardGold > 0))) // !`,
    /an output: end each flow with to\(\.\.\.\)/,
  ],
  [
    'a flow without an end behind a good one',
    `topology('x',
  events.pipe(to(topic('y'))),
  table) // !`,
    /an output: end each flow with to\(\.\.\.\)/,
  ],
  [
    'a flow without an end behind settings',
    `topology('x', { onError: 'fail' },
  events) // !`,
    /an output: end each flow with to\(\.\.\.\)/,
  ],
  ['a topology with settings only', `topology('x', { onError: 'fail' }) // !`, /Expected at least 3 arguments/],
  ['a topology without outputs', `topology('x') // !`, /Expected at least 2 arguments/],
  [
    'an error policy that does not exist',
    `topology('x',
  { onError: 'ignore' }, // !
  events.pipe(to(topic('y'))))`,
    /"ignore"|'ignore'/,
  ],
  [
    'an unknown field in by',
    `events.pipe(
  repartition('r', { by: 'questtype' }), // !
  window(tumbling('1 minute')))`,
    /"questtype"/,
  ],
  [
    'an unknown field in a list of by',
    `events.pipe(
  repartition('r', { by: ['questType', 'region'] }), // !
  window(tumbling('1 minute')))`,
    /"region"/,
  ],
  [
    'an unknown field in a computed key',
    `events.pipe(
  repartition('r', {
    by: {
      questType: 'questType',
      hour: long(e => e.at), // !
    },
  }),
  window(tumbling('1 minute')))`,
    /Property 'at' does not exist/,
  ],
  [
    'a text field summed',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  s: sum('questType'), // !
}))`,
    /"questType"/,
  ],
  [
    'a text field averaged',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  s: mean('questType'), // !
}))`,
    /"questType"/,
  ],
  [
    'a duration with a typing error',
    `events.pipe(
  window(tumbling('1 mintue'))) // !`,
    /"1 mintue"/,
  ],
  [
    'a hopping window without an advance',
    `events.pipe(
  window(hopping('1 minute', { grace: '1 second' }))) // !`,
    /advance/,
  ],
  [
    'an unknown field in the where of a measure',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  c: count(),
  a: count({ where: { eventTyp: 'COMPLETED' } }), // !
}))`,
    /eventTyp/,
  ],
  [
    'a value that the field cannot have in the where of a measure',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  b: count({ where: { eventType: 'DONE' } }), // !
}))`,
    /"DONE"/,
  ],
  [
    'an unknown field in a function of where',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  c: count({ where: e => e.nope > 1 }), // !
}))`,
    /Property 'nope' does not exist/,
  ],
  [
    'an unknown field in the where of sum',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  s: sum('rewardGold', { where: { level: 3 } }), // !
}))`,
    /'level' does not exist/,
  ],
  [
    'an unknown field in the where of distinct',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', {
  s: distinct('questType', { where: { level: 3 } }), // !
}))`,
    /'level' does not exist/,
  ],
  [
    'an unknown field in a filter',
    `events.pipe(
  filter(e => e.level > 3), // !
  to(topic('x')))`,
    /Property 'level' does not exist/,
  ],
  [
    'a null value that is not looked at',
    `nullable.pipe(
  filter(e => e.rewardGold > 3), // !
  to(topic('x')))`,
    /possibly 'null'/,
  ],
  [
    'an unknown field in a map',
    `events.pipe(
  map(({ value }) => ({ key: null, value: value.level })), // !
  to(topic('x')))`,
    /Property 'level' does not exist/,
  ],
  [
    'a value that is not of the declared schema',
    `events.pipe(
  mapValues(e => ({ kind: 'C' as const, gold: e.rewardGold }), { value: small }), // !
  to(topic('x')))`,
    /"C"/,
  ],
  [
    'a mapped value that is not of the declared schema',
    `events.pipe(
  map(({ key, value }) => ({
    key,
    value: { kind: 'A' as const, gold: value.questType }, // !
  }), { value: small }),
  to(topic('x')))`,
    /'string' is not assignable to type 'number'/,
  ],
  [
    'an unknown field in select',
    `events.pipe(
  select({
    type: 'questType',
    level: 'level', // !
  }),
  to(topic('x')))`,
    /"level"|'level'/,
  ],
  [
    'an unknown field in an expression of select',
    `events.pipe(
  select({ type: 'questType', level: long(e => e.level) }), // !
  to(topic('x')))`,
    /Property 'level' does not exist/,
  ],
  [
    'a field that select left out',
    `events.pipe(
  select({ gold: 'rewardGold' }),
  repartition('r', { by: 'questType' }), // !
  to(topic('x')))`,
    /"questType"/,
  ],
  [
    'a field that the schema does not have, in pick',
    `fromTopic('x', {
  value: questEvent.pick('questType', 'level'), // !
})`,
    /"level"/,
  ],
  [
    'a timestamp that is no field',
    `fromTopic('x', {
  value: questEvent,
  timestamp: 'ocurredAt', // !
})`,
    /"ocurredAt"|'ocurredAt'/,
  ],
  [
    'a timestamp that is text',
    `fromTopic('x', {
  value: questEvent,
  timestamp: 'questType', // !
})`,
    /"questType"|'questType'/,
  ],
  [
    'a measure of a field that the first table does not have',
    `table.pipe(
  toStream(),
  repartition('all', { by: 'questType' }),
  window(tumbling('1 hour')),
  aggregate('h', {
    n: sum('c'),
    g: sum('golds'), // !
  }))`,
    /"golds"/,
  ],
  [
    'emit that does not exist',
    `events.pipe(window(tumbling('1 minute')), aggregate('n', { c: count() },
  { emit: 'changes' })) // !`,
    /"changes"/,
  ],
  [
    'a reducer that answers something else',
    `events.pipe(
  window(tumbling('1 minute')),
  reduce('n', (a, b) => a.rewardGold)) // !`,
    /'number' is not assignable/,
  ],
]

const texts = MISTAKES.map(([, text]) => PRELUDE + text)
let said: readonly (readonly Said[])[] = []

beforeAll(() => {
  said = compile([...texts, PRELUDE])
}, 120_000)

describe('a mistake is one error at its place', () => {
  test('the prelude compiles', () => expect(said.at(-1)).toEqual([]))
  test.each(MISTAKES.map(([title, , message], index) => ({ title, message, index })))(
    '$title',
    ({ message, index }) => {
      const line = (texts[index] as string).split('\n').findIndex(one => one.endsWith('// !')) + 1
      expect(said[index]).toEqual([{ line, message: expect.stringMatching(message) }])
    },
  )
})
