import {
  aggregate,
  aggregator,
  approxDistinct,
  count,
  distinct,
  filter,
  first,
  globalWindow,
  hopping,
  last,
  long,
  max,
  min,
  reduce,
  repartition,
  sum,
  timestamp,
  to,
  topic,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { at, drive, type Event, events, lines, seconds, T0 } from './events.js'

const perKey = { by: 'k' } as const
const minute = tumbling('60 seconds', { grace: '10 seconds' })

/** The same records in each partition, so that keys meet only behind a repartition. */
const spread = (...seconds: number[]) =>
  seconds.flatMap(s => [0, 1, 2].map(partition => at(s, { n: partition + 1 }, { partition })))

describe('a combined aggregate behind a repartition', () => {
  const combined = topology(
    'combined',
    events.pipe(
      repartition('by-k', perKey),
      window(minute),
      aggregate('measures', {
        c: count(),
        total: sum('n'),
        least: min('n'),
        most: max('n'),
        ids: distinct('n'),
        about: approxDistinct('n'),
        big: count({ where: { n: [3, 4] } }),
        opening: first('n'),
        closing: last('n'),
      }),
      to(warehouse('measures', { sortKey: ['window_start'] })),
    ),
  )

  it('merges partials of several partitions and commits into one row a key and window', async () => {
    const driver = await drive(combined, { partitions: 3 })
    await driver.pipeAll('events', spread(1, 2))
    await driver.pipeAll('events', spread(61, 3))
    const rows = await driver.rows('measures')
    expect(rows.map(row => [seconds(row.window_start), row.c, row.total, row.least, row.most])).toEqual([
      [0, 9, 18, 1, 3],
      [60, 3, 6, 1, 3],
    ])
    expect(rows[0]).toMatchObject({ ids: 3, about: 3, big: 3, opening: 1, closing: 3 })
  })
})

describe('two windows behind one repartition', () => {
  it('each get every record, combined or not', async () => {
    const keyed = events.pipe(repartition('by-k', perKey))
    const driver = await drive(
      topology(
        'two',
        keyed.pipe(window(minute), aggregate('minutes', { c: count() }), to(topic('minutes'))),
        keyed.pipe(
          window(hopping('60 seconds', { advance: '30 seconds', grace: '10 seconds' })),
          aggregate('hops', { c: count() }),
          to(topic('hops')),
        ),
        keyed.pipe(
          window(minute),
          reduce('sums', (a, b) => ({ ...b, n: a.n + b.n })),
          to(topic('sums')),
        ),
        keyed.pipe(
          filter(e => e.n === 2),
          window(globalWindow()),
          aggregate('twos', { c: count() }),
          to(topic('twos')),
        ),
        keyed.pipe(
          filter(e => e.n === 3),
          to(topic('threes')),
        ),
      ),
      { partitions: 3 },
    )
    await driver.pipeAll('events', spread(0, 31))
    expect(await lines(driver, 'minutes')).toEqual(['"a" @0 6'])
    expect(await lines(driver, 'hops')).toEqual(['"a" @-30 3', '"a" @0 6', '"a" @30 3'])
    expect((await driver.readOutput('sums')).at(-1)!.value).toMatchObject({ n: 12 })
    expect(await lines(driver, 'twos')).toEqual(['a 2'])
    expect(await driver.readOutput('threes')).toHaveLength(2)
    expect(await driver.accounting()).toMatchObject({ read: 6, aggregated: 6, refusedWindows: 0 })
  })
})

describe('lateness', () => {
  for (const kind of ['combined', 'raw'] as const) {
    const finals = topology(
      'finals',
      events.pipe(
        repartition('by-k', perKey),
        window(minute),
        aggregate('counts', { c: kind === 'combined' ? count<Event>() : listed() }, { emit: 'final' }),
        to(topic('out')),
      ),
    )

    it(`is judged by the own lane: an old partition that is read late loses nothing (${kind})`, async () => {
      const driver = await drive(finals, { partitions: 2 })
      const lane = (partition: number, ...times: number[]) => times.map(s => at(s, {}, { partition }))
      await driver.pipeAll('events', lane(0, 0, 1000, 2000, 3000))
      expect(await lines(driver, 'out')).toEqual([])
      await driver.pipeAll('events', lane(1, 0, 1, 1000, 2900, 3500))
      const rows = await lines(driver, 'out')
      expect(rows.map(row => row.split(' ')[1])).toEqual(['@0', '@1980', '@2880', '@960'])
      expect(await driver.accounting()).toMatchObject({ read: 9, aggregated: 9, late: 0 })
      expect((await driver.status()).lateAfterIdle).toBe(0)
    })

    it(`leaves out what is late for its own lane (${kind})`, async () => {
      const driver = await drive(finals, { partitions: 2 })
      await driver.pipeAll('events', [
        at(0, {}, { partition: 0 }),
        at(69, {}, { partition: 0 }),
        at(1, {}, { partition: 0 }),
        at(70, {}, { partition: 0 }),
        at(2, {}, { partition: 0 }),
        at(3, {}, { partition: 1 }),
        at(500, {}, { partition: 0 }),
        at(500, {}, { partition: 1 }),
      ])
      expect(await driver.accounting()).toMatchObject({ read: 8, aggregated: 7, late: 1, refusedWindows: 1 })
      expect(
        (await lines(driver, 'out')).map(row => row.replace(/\[.*\]/, list => String(list.split(',').length))),
      ).toEqual(['"a" @0 3', '"a" @60 2'])
    })
  }

  it('of a hopping window is judged window by window', async () => {
    const hops = hopping('60 seconds', { advance: '20 seconds' })
    const driver = await drive(
      topology(
        'hops',
        events.pipe(repartition('by-k', perKey), window(hops), aggregate('counts', { c: count() }), to(topic('out'))),
      ),
    )
    await driver.pipeAll('events', [at(59), at(61), at(20)])
    expect(await driver.accounting()).toMatchObject({ aggregated: 3, late: 0, refusedWindows: 2 })
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1', '"a" @20 3', '"a" @40 2', '"a" @60 1'])
  })
})

describe('idle lanes', () => {
  const finals = topology(
    'idle',
    events.pipe(
      repartition('by-k', perKey),
      window(minute),
      aggregate('counts', { c: count() }, { emit: 'final' }),
      to(topic('out')),
    ),
  )

  it('hold nobody back once they were read to the end for idleAfter', async () => {
    const driver = await drive(finals, { partitions: 3 })
    await driver.pipe('events', at(0, {}, { partition: 0 }))
    await driver.advanceWallClock('29 seconds')
    await driver.pipe('events', at(100, {}, { partition: 0 }))
    expect(await lines(driver, 'out')).toEqual([])
    await driver.advanceWallClock('1 second')
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
  })

  it('follow the wall clock when all are idle', async () => {
    const driver = await drive(finals, { partitions: 2 })
    await driver.pipe('events', at(0, {}, { partition: 0 }))
    await driver.advanceWallClock('99 seconds')
    expect(await lines(driver, 'out')).toEqual([])
    await driver.advanceWallClock('1 second')
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
  })

  it('count what they send for windows that closed meanwhile', async () => {
    const driver = await drive(finals, { partitions: 2 })
    await driver.pipe('events', at(0, {}, { partition: 0 }))
    await driver.advanceWallClock('100 seconds')
    await driver.pipeAll('events', [
      at(5, {}, { partition: 1 }),
      at(6, {}, { partition: 1 }),
      at(65, {}, { partition: 1 }),
    ])
    expect((await driver.status()).lateAfterIdle).toBe(2)
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
    await driver.advanceWallClock('60 seconds')
    expect(await lines(driver, 'out')).toEqual(['"a" @60 1'])
  })

  it('close windows of a table on the source itself', async () => {
    const driver = await drive(
      topology(
        'idle',
        events.pipe(window(minute), aggregate('counts', { c: count() }, { emit: 'final' }), to(topic('out'))),
      ),
      { partitions: 2 },
    )
    await driver.pipe('events', at(0, {}, { partition: 0 }))
    await driver.advanceWallClock('100 seconds')
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
    await driver.pipeAll('events', [at(5, {}, { partition: 0 }), at(75, {}, { partition: 0 })])
    expect(await driver.status()).toMatchObject({ lateAfterIdle: 1 })
    expect(await driver.accounting()).toMatchObject({ read: 3, aggregated: 2, late: 1 })
  })

  it('do not hold back an empty partition for ever', async () => {
    const driver = await drive(finals, { partitions: 4 })
    await driver.pipeAll('events', [at(0, {}, { partition: 0 }), at(200, {}, { partition: 0 })])
    expect(await lines(driver, 'out')).toEqual([])
    await driver.advanceWallClock('30 seconds')
    await driver.pipe('events', at(201, {}, { partition: 0 }))
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
  })
})

describe('a key', () => {
  it('can be a timestamp and a number, and is a Date where it is read', async () => {
    const driver = await drive(
      topology(
        'keys',
        events.pipe(
          repartition('by-hour', { by: { hour: timestamp(e => e.at - (e.at % 3_600_000)), n: 'n' } }),
          window(globalWindow()),
          aggregate('hours', { c: count() }),
          to(warehouse('hours')),
        ),
        events.pipe(repartition('by-at', { by: 'at' }), to(topic('moments'))),
      ),
      { partitions: 2 },
    )
    await driver.pipeAll('events', [at(0), at(3_599), at(-1)])
    expect(await driver.rows('hours')).toEqual([
      { hour: new Date(T0 - 3_600_000), n: 1, c: 1 },
      { hour: new Date(T0), n: 1, c: 2 },
    ])
    expect((await driver.readOutput('moments')).map(({ key }) => key)).toContainEqual({ at: new Date(T0) })
  })

  it('and sums and values beyond 2^53 stay exact', async () => {
    const driver = await drive(
      topology(
        'large',
        events.pipe(
          repartition('by-n', { by: { large: long(e => BigInt(e.n) * 2n ** 40n) } }),
          window(globalWindow()),
          aggregate('larges', {
            total: sum(long(e => BigInt(e.n) * 2n ** 40n)),
            most: max(long(e => BigInt(e.n) * 2n ** 40n)),
          }),
          to(warehouse('larges')),
        ),
      ),
      { partitions: 2 },
    )
    const n = 2 ** 22 + 1
    const large = BigInt(n) * 2n ** 40n
    await driver.pipeAll('events', [at(0, { n }, { partition: 0 }), at(1, { n }, { partition: 1 })])
    expect(await driver.rows('larges')).toEqual([{ large, total: 2n * large, most: large }])
  })
})

describe('a custom aggregate', () => {
  const deleting = (merge: boolean) =>
    aggregator<Event, number[]>({
      state: { type: 'array', items: 'long' },
      zero: [],
      add: (list, e) => (e.n < 0 ? null : [...list, e.n].sort()),
      ...(merge && { merge: (a: number[], b: number[]) => [...a, ...b].sort() }),
    })

  for (const merge of [true, false]) {
    it(`that answers null deletes the row, ${merge ? 'combined' : 'not combined'}`, async () => {
      const driver = await drive(
        topology(
          'deleting',
          events.pipe(
            repartition('by-k', perKey),
            window(minute),
            aggregate('lists', { list: deleting(merge) }),
            to(topic('out')),
          ),
        ),
        { partitions: 2 },
      )
      await driver.pipe('events', at(0, { n: 1 }))
      await driver.pipe('events', at(1, { n: 2 }))
      expect(await lines(driver, 'out')).toEqual(['"a" @0 [1,2]', '"a" @0 [1]'])
      await driver.pipe('events', at(2, { n: -1 }))
      expect(await lines(driver, 'out')).toEqual(['"a" @0 null'])
      await driver.pipe('events', at(3, { n: 3 }))
      expect(await lines(driver, 'out')).toEqual(['"a" @0 [3]'])
      await driver.pipeAll('events', [at(3, { n: 4 }), at(2, { n: -1 }), at(4, { n: 5 })])
      expect(await lines(driver, 'out')).toEqual(['"a" @0 [5]'])
    })
  }
})

function listed() {
  return aggregator<Event, number[]>({
    state: { type: 'array', items: 'long' },
    zero: [],
    add: (list, e) => [...list, e.id],
  })
}
