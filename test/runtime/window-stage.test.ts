import {
  aggregate,
  aggregator,
  avro,
  count,
  hopping,
  map,
  reduce,
  repartition,
  sum,
  to,
  topic,
  topology,
  toStream,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import type { TopologyTestDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'
import { at, drive, type Event, events, lines, seconds } from './events.js'

const perKey = { by: 'k' } as const
const minute = tumbling('60 seconds', { grace: '10 seconds' })
const both = (s: number, fields = {}) => [0, 1].map(partition => at(s, fields, { partition }))

describe('final rows', () => {
  it('come once a window, in the order of window and key, when end + grace is reached', async () => {
    const driver = await drive(
      topology(
        'finals',
        events.pipe(window(minute), aggregate('counts', { c: count() }, { emit: 'final' }), to(topic('out'))),
      ),
    )
    await driver.pipeAll(
      'events',
      ['b', 'a', 'ab'].flatMap(k => [at(0, { k }), at(61, { k })]),
    )
    await driver.pipe('events', at(69))
    expect(await driver.readOutput('out')).toEqual([])
    await driver.pipe('events', at(70, { k: 'z' }))
    const first = await driver.readOutput('out')
    expect(first.map(({ key }) => (key as { key: string }).key)).toEqual(['a', 'ab', 'b'])
    await driver.pipe('events', at(1000, { k: 'z' }))
    const then = await driver.readOutput('out')
    expect(then.map(({ key, value }) => [(key as { key: string }).key, value!.c])).toEqual([
      ['a', 2],
      ['ab', 1],
      ['b', 1],
      ['z', 1],
    ])
    expect(await driver.store('counts')).toMatchObject([{ key: 'z', c: 1 }])
  })

  it('carry the highest timestamp of their records', async () => {
    const driver = await drive(
      topology(
        'finals',
        events.pipe(
          repartition('by-k', perKey),
          window(minute),
          aggregate('counts', { c: count() }, { emit: 'final' }),
          to(topic('out')),
        ),
      ),
      { partitions: 2 },
    )
    await driver.pipeAll('events', [...both(30), ...both(10), ...both(500)])
    expect((await driver.readOutput('out')).map(({ timestamp }) => seconds(new Date(timestamp)))).toEqual([30])
  })

  it('of a hopping window come as each window closes', async () => {
    const hops = hopping('60 seconds', { advance: '30 seconds' })
    const driver = await drive(
      topology(
        'hops',
        events.pipe(
          repartition('by-k', perKey),
          window(hops),
          aggregate('counts', { c: count() }, { emit: 'final' }),
          to(topic('out')),
        ),
      ),
      { partitions: 2 },
    )
    await driver.pipeAll('events', [...both(10), ...both(40), ...both(65)])
    expect(await lines(driver, 'out')).toEqual(['"a" @-30 2', '"a" @0 4'])
    await driver.pipeAll('events', both(120))
    expect(await lines(driver, 'out')).toEqual(['"a" @30 4', '"a" @60 2'])
  })
})

describe('updates', () => {
  it('are the latest row a commit, and the last one when the window closes', async () => {
    const driver = await drive(
      topology(
        'updates',
        events.pipe(repartition('by-k', perKey), window(minute), aggregate('counts', { c: count() }), to(topic('out'))),
      ),
      { partitions: 2 },
    )
    await driver.pipeAll('events', [...both(1), ...both(2)])
    expect((await driver.readOutput('out')).at(-1)!.value).toEqual({ c: 4 })
    await driver.pipeAll('events', [...both(3), ...both(300)])
    expect(await lines(driver, 'out')).toContain('"a" @0 6')
    expect(await driver.store('counts')).toMatchObject([{ k: 'a', c: 2 }])
  })
})

describe('split tables', () => {
  const shown = async (driver: TopologyTestDriver, table: string) =>
    (await driver.rows(table)).map(row => `${row.k} @${seconds(row.window_start)} ${row.c}`)

  it('get every row of a window that closes, whether it changed since it was sent or not, and others do not', async () => {
    const counts = events.pipe(repartition('by-k', perKey), window(minute), aggregate('counts', { c: count() }))
    const driver = await drive(
      topology(
        'split',
        counts.pipe(to(warehouse('t', { split: true, coarser: { hour: '1 hour' } }))),
        counts.pipe(to(warehouse('whole'))),
        counts.pipe(to(topic('out'))),
      ),
    )
    await driver.pipeAll('events', [at(0, { k: 'a' }), at(1, { k: 'b' })])
    await driver.pipe('events', at(65, { k: 'c' }))
    expect([await shown(driver, 't_open'), await shown(driver, 't_closed')]).toEqual([
      ['a @0 1', 'b @0 1', 'c @60 1'],
      [],
    ])
    await driver.readOutput('out')
    await driver.pipeAll('events', [at(5, { k: 'b' }), at(70, { k: 'c' })])
    const rows = ['a @0 1', 'b @0 2', 'c @60 2']
    expect([await shown(driver, 't_open'), await shown(driver, 't_closed')]).toEqual([
      ['c @60 2'],
      ['a @0 1', 'b @0 2'],
    ])
    expect([await shown(driver, 't'), await shown(driver, 'whole')]).toEqual([rows, rows])
    expect(await lines(driver, 'out')).toEqual(['"b" @0 2', '"c" @60 2'])
    expect((await driver.rows('hour')).map(({ k, c }) => [k, c])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 2],
    ])
    await expect(driver.rows('t_opened')).rejects.toThrow('It has "t", "t_open", "t_closed", "hour", "whole".')
  })

  it('do not get rows that were deleted', async () => {
    const c = aggregator<Event, number, number>({
      state: 'long',
      zero: 0,
      add: (sum, { n }) => (n < 0 ? null : sum + n),
      column: 'long',
    })
    const driver = await drive(
      topology(
        'deleted',
        events.pipe(
          repartition('by-k', perKey),
          window(minute),
          aggregate('sums', { c }),
          to(warehouse('t', { split: true })),
        ),
      ),
    )
    await driver.pipeAll('events', [at(0, { k: 'a' }), at(0, { k: 'b' }), at(0, { k: 'c' })])
    await driver.pipe('events', at(1, { k: 'a', n: -1 }))
    expect(await shown(driver, 't')).toEqual(['b @0 1', 'c @0 1'])
    // One deleted in a commit before the window closes, one in the commit that closes it.
    await driver.pipeAll('events', [at(2, { k: 'b', n: -1 }), at(70, { k: 'z' })])
    expect([await shown(driver, 't_open'), await shown(driver, 't_closed')]).toEqual([['z @60 1'], ['c @0 1']])
  })

  it('close by the wall clock, too, where the topic is silent', async () => {
    const driver = await drive(
      topology(
        'idle',
        { idleAfter: '5 seconds' },
        events.pipe(
          repartition('by-k', perKey),
          window(minute),
          aggregate('counts', { c: count() }),
          to(warehouse('t', { split: true })),
        ),
      ),
    )
    await driver.pipe('events', at(0, { k: 'a' }))
    await driver.advanceWallClock('2 minutes')
    expect([await shown(driver, 't_open'), await shown(driver, 't_closed')]).toEqual([[], ['a @0 1']])
  })
})

describe('a second repartition', () => {
  const stages = (kind: 'combined' | 'raw') => {
    const minutes = events.pipe(
      repartition('by-k', perKey),
      window(minute),
      aggregate('minutes', { c: count(), gold: sum('n') }, { emit: 'final' }),
      toStream(),
      repartition('by-c', { by: 'c' }),
      window(tumbling('300 seconds')),
    )
    return topology(
      'stages',
      kind === 'combined'
        ? minutes.pipe(aggregate('fives', { rows: count(), gold: sum('gold') }, { emit: 'final' }), to(topic('out')))
        : minutes.pipe(
            reduce('fives', (a, b) => ({ ...b, gold: a.gold + b.gold }), { emit: 'final' }),
            to(topic('out')),
          ),
    )
  }

  for (const kind of ['combined', 'raw'] as const) {
    it(`aggregates final rows, none of them late (${kind})`, async () => {
      const driver = await drive(stages(kind), { partitions: 3 })
      const keys = ['a', 'b', 'c', 'd']
      const records = [0, 59, 60, 119, 180, 240, 299].flatMap(s =>
        keys.flatMap(k => [0, 1, 2].map(partition => at(s, { k, n: 1 }, { partition }))),
      )
      for (const one of records) await driver.pipe('events', one)
      await driver.pipeAll(
        'events',
        [0, 1, 2].map(partition => at(369, { k: 'end' }, { partition })),
      )
      // Two windows of a key hold six records, and two hold three: 0 to 120 and 180, 240.
      expect(await driver.readOutput('out')).toEqual([])
      await driver.pipeAll(
        'events',
        [0, 1, 2].map(partition => at(1000, { k: 'end' }, { partition })),
      )
      const rows = (await driver.readOutput('out')).filter(
        ({ key }) => seconds((key as { windowStart: Date }).windowStart) === 0,
      )
      const shown = rows.map(({ key, value }) => [(key as { c: number }).c, value!.gold]).sort()
      expect(shown).toEqual([
        [3, 12],
        [6, 72],
      ])
      expect((await driver.status()).lateAfterIdle).toBe(0)
    })
  }

  it('follows the wall clock when all source partitions are idle', async () => {
    const driver = await drive(stages('combined'), { partitions: 3 })
    await driver.pipe('events', at(0))
    await driver.advanceWallClock('6 minutes')
    expect(await driver.readOutput('out')).toEqual([])
    await driver.advanceWallClock('2 minutes')
    expect(await lines(driver, 'out')).toEqual(['1 @0 1 1'])
  })
})

describe('a table on the source itself', () => {
  it('is a lane of a repartition behind it, whose time lies behind its own windows', async () => {
    const driver = await drive(
      topology(
        'source-table',
        events.pipe(
          window(minute),
          aggregate('minutes', { c: count() }, { emit: 'final' }),
          toStream(),
          repartition('by-c', { by: 'c' }),
          window(tumbling('60 seconds')),
          aggregate('rows', { rows: count() }, { emit: 'final' }),
          to(topic('out')),
        ),
      ),
      { partitions: 2 },
    )
    for (let s = 0; s <= 400; s += 5)
      await driver.pipeAll(
        'events',
        [0, 1].map(partition => at(s, { k: 'a' }, { partition })),
      )
    expect(await lines(driver, 'out')).toEqual(['12 @0 2', '12 @120 2', '12 @180 2', '12 @240 2', '12 @60 2'])
    await driver.advanceWallClock('8 minutes')
    expect(await lines(driver, 'out')).toEqual(['12 @300 2'])
    await driver.advanceWallClock('2 minutes')
    expect(await lines(driver, 'out')).toEqual(['9 @360 2'])
    expect(await driver.status()).toMatchObject({ lateAfterIdle: 0 })
  })
})

describe('a table of a table in one task', () => {
  const key = avro<{ readonly k: string }>({ type: 'record', name: 'K', fields: [{ name: 'k', type: 'string' }] })
  const row = avro<{ readonly c: number }>({ type: 'record', name: 'C', fields: [{ name: 'c', type: 'long' }] })
  const chained = topology(
    'chained',
    events.pipe(
      window(minute),
      aggregate('minutes', { c: count() }, { emit: 'final' }),
      toStream(),
      map(({ key: k, value }) => ({ key: { k: k!.key }, value: { c: value.c } }), { key, value: row }),
      window(tumbling('300 seconds')),
      aggregate('fives', { total: sum('c') }, { emit: 'final' }),
      to(topic('out')),
    ),
  )

  it('gets every row of the first', async () => {
    const driver = await drive(chained)
    await driver.pipeAll('events', [at(0), at(60), at(120), at(240), at(299)])
    await driver.pipe('events', at(1000))
    expect(await lines(driver, 'out')).toEqual(['"a" @0 5'])
    expect(await driver.accounting()).toMatchObject({ read: 6, aggregated: 6, refusedWindows: 0 })
  })
})
