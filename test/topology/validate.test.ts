import {
  aggregate,
  aggregator,
  avro,
  count,
  double,
  filter,
  flatMap,
  fromTopic,
  globalWindow,
  long,
  map,
  mapValues,
  max,
  reduce,
  repartition,
  select,
  sum,
  text,
  to,
  topic,
  topology,
  toStream,
  tumbling,
  warehouse,
  where,
  window,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import type { Output } from '../../src/operators/flow.js'
import type { Node, Topology } from '../../src/topology/node.js'
import { assertValid, validate } from '../../src/topology/validate.js'
import { events, questEvent } from '../operators/events.js'

const minutes = tumbling('1 minute')
const byType = events.pipe(repartition('by-type', { by: 'questType' }))
const table = byType.pipe(window(minutes), aggregate('minute', { c: count(), gold: sum('rewardGold') }))

/** Problems as `CODE node: message`. */
function problems(first: Output, ...rest: Output[]): readonly string[] {
  return problemsOf(topology('quests', first, ...rest))
}

function problemsOf(made: Topology): readonly string[] {
  return validate(made).map(({ code, message, node }) => `${code} ${node}: ${message}`)
}

type Loose = 'aggregate' | 'count' | 'fromTopic' | 'max' | 'repartition' | 'select' | 'sum' | 'warehouse' | 'where'

/** Operators without the compiler's checks, as JavaScript users call them. */
const loose: { readonly [N in Loose]: (...given: readonly unknown[]) => never } = {
  aggregate: aggregate as never,
  count: count as never,
  fromTopic: fromTopic as never,
  max: max as never,
  repartition: repartition as never,
  select: select as never,
  sum: sum as never,
  warehouse: warehouse as never,
  where: where as never,
}

/** Pipes without the compiler's checks. */
function piped(flow: object, ...operators: readonly unknown[]): { node: Node } & Output {
  return operators.reduce((input, operator) => (operator as (flow: unknown) => unknown)(input), flow as unknown) as {
    node: Node
  } & Output
}

test('a sound topology has no problems', () => {
  expect(
    problems(
      table.pipe(to(warehouse('analytics.quest_minute', { sortKey: ['window_start', 'quest_type'] }))),
      events.pipe(
        filter(e => e.rewardGold > 1),
        to(topic('rich')),
      ),
      table.pipe(to(topic('rows'))),
    ),
  ).toEqual([])
})

test('a topology without outputs', () => {
  const empty: Topology = { ...topology('quests', table.pipe(to(topic('x')))), outputs: [] }
  expect(problemsOf(empty)).toEqual([
    'NO_OUTPUT topology "quests": It has no output. End at least one flow with to(topic(...)) or to(warehouse(...)) and pass it.',
  ])
})

describe('names', () => {
  test('a name that is used twice', () => {
    const hours = byType.pipe(window(tumbling('1 hour')), aggregate('minute', { c: count() }))
    expect(problems(table.pipe(to(topic('x'))), hours.pipe(to(topic('y'))))).toEqual([
      'DUPLICATE_NAME aggregate "minute" (operator 7): The name "minute" is used twice (operators 4 and 7). It names a store and its changelog topic; rename one. If they are meant to be one, hold it in a constant and use that.',
    ])
  })

  test('a repartition made twice, a table and a repartition of one name, one table in two flows', () => {
    const again = events.pipe(
      repartition('by-type', { by: 'questType' }),
      window(minutes),
      aggregate('by-type', { c: count() }),
    )
    expect(
      problems(table.pipe(to(warehouse('a.t'))), again.pipe(to(warehouse('a.t')))).map(one => one.slice(0, 120)),
    ).toEqual([
      'DUPLICATE_NAME repartition "by-type" (operator 6): The name "by-type" is used 3 times (operators 2, 6 and 8). It names a',
      'DUPLICATE_NAME to(warehouse) "a.t" (operator 9): The name "a.t" is used twice (operators 5 and 9). It names a warehouse ',
    ])
  })

  test('a topic that is read by two fromTopic', () => {
    const other = fromTopic('quest-events', { value: questEvent.pick('userId') })
    expect(problems(events.pipe(to(topic('x'))), other.pipe(to(topic('y'))))).toEqual([
      'DUPLICATE_TOPIC fromTopic "quest-events" (operator 3): The topic "quest-events" is read by two fromTopic(...) (operators 1 and 3). Hold one of them in a constant, pick the fields of both, and use it in each flow.',
    ])
  })

  test('names that Kafka or a warehouse refuses', () => {
    expect(
      problems(
        events.pipe(repartition('by type', { by: 'questType' }), to(topic('x y'))),
        table.pipe(to(warehouse('QuestMinute'))),
        table.pipe(to(warehouse('a.b.c'))),
        table.pipe(to(warehouse(`a.${'x'.repeat(64)}`))),
      ),
    ).toEqual([
      'ILLEGAL_NAME repartition "by type" (operator 2): Kafka refuses the topic name "quests-by type-repartition": it contains " ", and Kafka takes letters, digits, ".", "_" and "-". Rename it.',
      'ILLEGAL_NAME to(topic) "x y" (operator 3): Kafka refuses the topic name "x y": it contains " ", and Kafka takes letters, digits, ".", "_" and "-". Rename it.',
      'ILLEGAL_NAME to(warehouse) "QuestMinute" (operator 7): "QuestMinute" is no table name: write lower-case letters, digits and "_", and no digit first.',
      'ILLEGAL_NAME to(warehouse) "a.b.c" (operator 8): "a.b.c" is no table name: write "table" or "schema.table".',
      `ILLEGAL_NAME to(warehouse) "a.${'x'.repeat(64)}" (operator 9): "a.${'x'.repeat(64)}" is no table name: write at most 63 characters, it has 64.`,
    ])
    expect(problemsOf(topology('no good', events.pipe(to(topic('x')))))).toEqual([
      'ILLEGAL_NAME topology "no good": Kafka refuses the topic name "no good": it contains " ", and Kafka takes letters, digits, ".", "_" and "-". Rename it.',
    ])
    expect(problems(events.pipe(repartition('', { by: 'questType' }), to(topic('x'))))).toEqual([
      'ILLEGAL_NAME repartition "" (operator 2): It has no name, but names a repartition topic. Name it.',
    ])
  })

  test('partition counts that no topic can have', () => {
    for (const partitions of [0, -1, 1.5, Number.NaN]) {
      expect(problems(events.pipe(repartition('r', { by: 'questType', partitions }), to(topic('x'))))).toEqual([
        `PARTITIONS repartition "r" (operator 2): A topic cannot have ${partitions} partitions. Give a whole number above zero, or leave it out for that of the topics upstream.`,
      ])
    }
  })
})

describe('fields', () => {
  const known =
    'Known are questType, eventType, rewardGold, durationMs, userId, occurredAt. If the topic has it, add it to pick(...).'

  test('unknown ones, wherever they are named', () => {
    const source = loose.fromTopic('other', { value: questEvent, timestamp: 'ocurredAt' })
    const output = piped(
      source,
      loose.where({ level: 3 }),
      loose.repartition('r', { by: ['questtype', 'userId'] }),
      window(minutes),
      loose.aggregate('n', {
        gold: loose.sum('rewardGld'),
        c: loose.count({ where: { eventTyp: 'X' } }),
      }),
      to(topic('x')),
    )
    expect(problems(output)).toEqual([
      `UNKNOWN_FIELD fromTopic "other" (operator 1): \`timestamp\` names "ocurredAt", which is no field of the value here. Did you mean "occurredAt"? ${known}`,
      `UNKNOWN_FIELD where (operator 2): It compares "level", which is no field of the value here. ${known}`,
      `UNKNOWN_FIELD repartition "r" (operator 3): \`by\` names "questtype", which is no field of the value here. Did you mean "questType"? ${known}`,
      `UNKNOWN_FIELD aggregate "n" (operator 5): Measure "gold" reads "rewardGld", which is no field of the value here. Did you mean "rewardGold"? ${known}`,
      `UNKNOWN_FIELD aggregate "n" (operator 5): \`where\` of measure "c" compares "eventTyp", which is no field of the value here. Did you mean "eventType"? ${known}`,
    ])
  })

  test('an unknown one in select is reported once, and nothing that follows from it', () => {
    const output = piped(
      events,
      loose.select({ type: 'questTyp', gold: 'rewardGold' }),
      loose.repartition('r', { by: 'type' }),
      window(minutes),
      loose.aggregate('n', { gold: loose.sum('gold') }),
      to(loose.warehouse('t')),
    )
    expect(problems(output)).toEqual([
      `UNKNOWN_FIELD select (operator 2): "type" is "questTyp", which is no field of the value here. Did you mean "questType"? ${known}`,
    ])
  })

  test('a timestamp of another type, and a key that no column holds', () => {
    const schema = avro<{ at: string; tags: readonly string[] }>({
      type: 'record',
      name: 'R',
      fields: [
        { name: 'at', type: 'string' },
        { name: 'tags', type: { type: 'array', items: 'string' } },
      ],
    })
    const source = loose.fromTopic('x', { value: schema, timestamp: 'at' })
    expect(problems(piped(source, loose.repartition('r', { by: 'tags' }), to(topic('y'))))).toEqual([
      'FIELD_TYPE fromTopic "x" (operator 1): `timestamp` names "at", which is text. Name a timestamp-millis or a number of ms since 1970, or give a function of the value.',
      'FIELD_TYPE repartition "r" (operator 2): Key column "tags" is of Avro type "array", which no column holds. Give a typed expression, such as { tags: text(e => …) }.',
    ])
  })

  test('a measure of a type that its aggregate does not take, and nothing that follows from it', () => {
    const output = piped(
      byType,
      window(minutes),
      loose.aggregate('n', { gold: loose.sum('userId') }, { emit: 'final' }),
      toStream(),
      loose.repartition('all', { by: { one: text(() => 'all') } }),
      window(tumbling('1 hour')),
      loose.aggregate('hour', { gold: loose.sum('gold') }),
      to(loose.warehouse('t', { sortKey: 'nope' })),
    )
    const found = problems(output)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(
      /^MEASURE_TYPE aggregate "n" \(operator 4\): Measure "gold": sum\('userId'\): sum takes int, /,
    )
  })
})

describe('types of values and keys', () => {
  const gold = avro<{ gold: number }>({ type: 'record', name: 'G', fields: [{ name: 'gold', type: 'int' }] })

  test.each([
    ['mapValues', mapValues(() => ({ gold: 1 })), 'mapValues'],
    ['map', map(record => record), 'map'],
    ['flatMap', flatMap(record => [record]), 'flatMap'],
  ])('by after %s without a schema', (_, operator, name) => {
    expect(problems(piped(events, operator, repartition('r', { by: { a: long(() => 1) } }), to(topic('x'))))).toEqual([
      `MISSING_SCHEMA repartition "r" (operator 3): It writes values to its topic, but behind ${name} (operator 2) the type of the value is unknown. Give ${name} a schema as last argument, { value: schema }, or use select({ … }) of typed fields instead.`,
    ])
  })

  test('a topic, a reduce and a measure of a field after mapValues without a schema', () => {
    const untyped = events.pipe(mapValues(() => ({ gold: 1 })))
    const found = [
      problems(untyped.pipe(to(topic('x')))),
      problems(
        untyped.pipe(
          window(minutes),
          reduce('n', a => a),
          to(topic('x')),
        ),
      ),
      problems(untyped.pipe(window(minutes), aggregate('n', { gold: sum('gold') }), to(topic('x')))),
      problems(untyped.pipe(select({ gold: 'gold' }), to(topic('x')))),
    ].map(list => list.map(one => one.slice(0, one.indexOf(', but'))))
    expect(found).toEqual([
      ['MISSING_SCHEMA to(topic) "x" (operator 3): It writes values to its topic'],
      ['MISSING_SCHEMA reduce "n" (operator 4): It keeps values in its store'],
      ['MISSING_SCHEMA aggregate "n" (operator 4): It measures the field "gold"'],
      ['MISSING_SCHEMA to(topic) "x" (operator 4): It writes values to its topic'],
    ])
  })

  test('a schema, a select of expressions, and measures that need no field are fine', () => {
    const untyped = events.pipe(mapValues(() => ({ gold: 1 })))
    expect(
      problems(
        events.pipe(
          mapValues(() => ({ gold: 1 }), { value: gold }),
          to(topic('x')),
        ),
      ),
    ).toEqual([])
    expect(problems(untyped.pipe(select({ gold: long(e => e.gold) }), to(topic('x'))))).toEqual([])
    expect(
      problems(
        untyped.pipe(window(minutes), aggregate('n', { c: count(), g: sum(double(e => e.gold)) }), to(topic('x'))),
      ),
    ).toEqual([])
  })

  test('what is lost in one place is one problem', () => {
    const untyped = events.pipe(mapValues(() => ({ gold: 1 })))
    const output = untyped.pipe(
      repartition('r', { by: { a: long(e => e.gold) } }),
      window(minutes),
      aggregate('n', { gold: sum('gold') }),
      to(warehouse('t')),
    )
    expect(problems(output, untyped.pipe(to(topic('x'))))).toHaveLength(1)
  })

  test('a key that map may have changed', () => {
    const mapped = events.pipe(map(({ value }) => ({ key: { u: value.userId }, value }), { value: questEvent }))
    expect(problems(mapped.pipe(window(minutes), aggregate('n', { c: count() }), to(topic('x'))))).toEqual([
      'LOST_KEY aggregate "n" (operator 4): It keeps one row a key, but map (operator 2) may change the key, and the type of its keys is unknown. Put repartition(...) behind it, or give map the schema { key: schema }.',
    ])
    expect(problems(mapped.pipe(to(topic('x'))))).toHaveLength(1)
    expect(problems(mapped.pipe(repartition('same'), to(topic('x'))))).toHaveLength(1)
    expect(problems(mapped.pipe(repartition('r', { by: 'userId' }), to(topic('x'))))).toEqual([])
  })
})

describe('tables', () => {
  test('an aggregate without a window, a stream into a warehouse or a toStream', () => {
    expect(problems(piped(byType, aggregate('n', { c: count() }), to(topic('x'))))).toEqual([
      `MISSING_WINDOW aggregate "n" (operator 3): It has no window. Put window(tumbling('1 minute')) before it, or window(globalWindow()) for one that never closes.`,
    ])
    expect(problems(piped(events, to(loose.warehouse('t'))))).toEqual([
      'NOT_A_TABLE to(warehouse) "t" (operator 2): It takes a table, and this is a stream. Put window(...) and aggregate(...) before it.',
    ])
    expect(problems(piped(events, toStream(), to(topic('x'))))).toHaveLength(1)
  })

  test('columns that a sink names and does not have', () => {
    const output = piped(
      table,
      to(
        loose.warehouse('t', {
          sortKey: ['window_start', 'questType'],
          distKey: 'g',
          rename: { gold: 'g', golds: 'x' },
        }),
      ),
    )
    const known = 'Known are quest_type, window_start, window_end, c, gold.'
    expect(problems(output)).toEqual([
      `UNKNOWN_COLUMN to(warehouse) "t" (operator 5): \`sortKey\` names the column "questType", which the table does not have. Did you mean "quest_type"? ${known}`,
      `UNKNOWN_COLUMN to(warehouse) "t" (operator 5): \`distKey\` names the column "g", which the table does not have. Did you mean "c"? ${known} "g" is what "gold" is renamed to; write "gold" here.`,
      `UNKNOWN_COLUMN to(warehouse) "t" (operator 5): \`rename\` names the column "golds", which the table does not have. Did you mean "gold"? ${known}`,
    ])
  })

  test('names that one row would hold twice', () => {
    const output = byType.pipe(
      window(minutes),
      aggregate('n', { questType: count(), windowStart: count() }),
      to(topic('x')),
    )
    expect(problems(output)).toEqual([
      `COLUMN_COLLISION aggregate "n" (operator 4): "questType" is a key column and a measure; they share one row. Rename the measure.`,
      `COLUMN_COLLISION aggregate "n" (operator 4): "windowStart" is a window column and a measure; they share one row. Rename the measure.`,
    ])
    const again = events.pipe(repartition('r', { by: ['questType', 'questType'] }), to(topic('x')))
    expect(problems(again)).toEqual([
      'COLUMN_COLLISION repartition "r" (operator 2): `by` names the column "questType" twice. Name it once.',
    ])
  })

  test('columns of one name, of illegal names, and of types that no column holds', () => {
    const pair = aggregator({ state: { type: 'array', items: 'int' }, zero: [] as number[], add: (s, _: unknown) => s })
    const wide = byType.pipe(
      window(minutes),
      aggregate('n', { goldSum: count(), gold_sum: count(), größe: count(), pair }),
    )
    expect(problems(wide.pipe(to(warehouse('t'))))).toEqual([
      'COLUMN_COLLISION to(warehouse) "t" (operator 5): The fields "goldSum" and "gold_sum" would both be column "gold_sum". Rename one with `rename`.',
      'ILLEGAL_NAME to(warehouse) "t" (operator 5): "größe" is no column name: write lower-case letters, digits and "_", and no digit first. Rename it with `rename`.',
      'COLUMN_TYPE to(warehouse) "t" (operator 5): No column can hold "pair" (Avro type {"type":"array","items":"int"}). Leave it out, or give it a type that a column holds.',
    ])
    expect(problems(wide.pipe(to(topic('t'))))).toEqual([])
  })
})

describe('time', () => {
  test('updates into another window', () => {
    const hours = (name: string, flow: typeof table) =>
      flow.pipe(
        toStream(),
        repartition(`by-${name}`, { by: 'questType' }),
        window(tumbling('1 hour')),
        aggregate(name, { gold: sum('gold') }),
        to(topic(name)),
      )
    expect(problems(hours('hour', table))).toEqual([
      `UPDATES_INTO_WINDOW aggregate "hour" (operator 8): It aggregates the updates of "minute" (operator 4), so that a row would count again at each update. Give "minute" { emit: 'final' }.`,
    ])
    const final = byType.pipe(
      window(minutes),
      aggregate('m', { c: count(), gold: sum('rewardGold') }, { emit: 'final' }),
    )
    expect(problems(hours('hour', final))).toEqual([])
  })

  test('final rows of a window that never closes', () => {
    const output = byType.pipe(
      window(globalWindow()),
      aggregate('n', { c: count() }, { emit: 'final' }),
      to(topic('x')),
    )
    expect(problems(output)).toEqual([
      `NEVER_FINAL aggregate "n" (operator 4): It emits final rows of globalWindow(), which never closes, so that no row would ever go on. Emit 'updates', or use tumbling(...).`,
    ])
  })
})

test('assertValid throws all problems at once', () => {
  expect(() => assertValid(topology('quests', table.pipe(to(topic('x')))))).not.toThrow()
  const made = topology(
    'quests',
    piped(events, loose.repartition('a b', { by: 'questtype', partitions: 0 }), to(topic('x'))),
  )
  expect(() => assertValid(made)).toThrow(
    expect.objectContaining({
      code: 'INVALID_TOPOLOGY',
      message: expect.stringMatching(
        /^Topology "quests" is not sound:\n {2}repartition "a b".*\n {2}repartition "a b".*\n {2}repartition "a b".*$/,
      ),
    }),
  )
})
