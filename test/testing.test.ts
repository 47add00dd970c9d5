import {
  aggregate,
  avro,
  count,
  filter,
  fromTopic,
  globalWindow,
  repartition,
  sum,
  to,
  topic,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'
import { describe, expect, it } from 'vitest'
import { at, drive, type Event, event, events, T0 } from './runtime/events.js'

const minutes = events.pipe(
  repartition('by-k', { by: 'k' }),
  window(tumbling('1 minute')),
  aggregate('minutes', { c: count(), total: sum('n') }),
)
const all = topology(
  'all',
  minutes.pipe(to(warehouse('minutes', { rename: { c: 'events' } }))),
  minutes.pipe(to(topic('minutes'))),
  events.pipe(
    filter(e => e.n > 5),
    to(topic('large')),
  ),
)

describe('TopologyTestDriver', () => {
  it('shows what a record causes in topics, tables and stores when pipe resolves', async () => {
    const driver = await drive(all)
    await driver.pipe('events', at(1, { n: 7, id: 1 }))
    expect(await driver.readOutput('large')).toEqual([
      {
        key: 'a',
        value: { k: 'a', id: 1, n: 7, at: T0 + 1_000 },
        timestamp: T0 + 1_000,
        partition: 0,
        headers: [],
      },
    ])
    const window = { windowStart: new Date(T0), windowEnd: new Date(T0 + 60_000) }
    expect(await driver.readOutput('minutes')).toMatchObject([{ key: { k: 'a', ...window }, value: { c: 1 } }])
    expect(await driver.rows('minutes')).toEqual([
      { k: 'a', window_start: window.windowStart, window_end: window.windowEnd, events: 1, total: 7 },
    ])
    expect(await driver.store('minutes')).toEqual([{ k: 'a', ...window, c: 1, total: 7 }])
    expect(await driver.status()).toMatchObject({ lag: 0, openWindows: 1, flushedRows: 1 })
  })

  it('gives each record of a topic once', async () => {
    const driver = await drive(all)
    await driver.pipeAll('events', [at(1, { n: 6 }), at(2, { n: 8 })])
    expect((await driver.readOutput('large')).map(({ value }) => value!.n)).toEqual([6, 8])
    expect(await driver.readOutput('large')).toEqual([])
    await driver.pipe('events', at(3, { n: 9 }))
    expect(await driver.readOutput('large')).toHaveLength(1)
  })

  it('has several partitions, and sends keys where Kafka sends them', async () => {
    const driver = await drive(all, { partitions: 4 })
    await driver.pipeAll('events', [
      at(1, { n: 6 }, { key: 'u1' }),
      at(1, { n: 6 }, { key: 'u2' }),
      at(1, { n: 6 }, { key: null }),
      at(1, { n: 6 }, { key: 'u1', partition: 3 }),
    ])
    const records = await driver.readOutput('large')
    const partitions = new Map(records.map(({ key, partition }) => [key, partition]))
    // murmur2 of "u1" and "u2", modulo 4.
    expect(partitions).toEqual(
      new Map([
        ['u1', 0],
        ['u2', 2],
        [null, 0],
      ]),
    )
    expect((await driver.rows('minutes')).map(({ events }) => events)).toEqual([4])
  })

  it('shows rows of a store and of a table in the order of their keys', async () => {
    const driver = await drive(all, { partitions: 3 })
    await driver.pipeAll(
      'events',
      ['c', 'a', 'b'].flatMap(k =>
        [at(1, { k }), at(61, { k })].map(one => ({ ...one, partition: k.charCodeAt(0) % 3 })),
      ),
    )
    const keys = (await driver.rows('minutes')).map(({ k, window_start: start }) => [k, (start as Date).getTime() - T0])
    expect(keys).toEqual([
      ['a', 0],
      ['a', 60_000],
      ['b', 0],
      ['b', 60_000],
      ['c', 0],
      ['c', 60_000],
    ])
    // The first minute is closed.
    expect((await driver.store('minutes')).map(({ k }) => k).sort()).toEqual(['a', 'b', 'c'])
  })

  it('moves the wall clock only when told to, by any length', async () => {
    const driver = await drive(
      topology(
        'final',
        events.pipe(
          repartition('by-k', { by: 'k' }),
          window(tumbling('1 minute')),
          aggregate('minutes', { c: count() }, { emit: 'final' }),
          to(topic('out')),
        ),
      ),
      { partitions: 2 },
    )
    await driver.pipe('events', at(1))
    expect(await driver.readOutput('out')).toEqual([])
    await driver.advanceWallClock('7 days')
    expect(await driver.readOutput('out')).toHaveLength(1)
    expect((await driver.status()).lateAfterIdle).toBe(0)
  })

  it('takes keys of a schema, null values and bytes as they are', async () => {
    const key = avro<{ readonly user: string; readonly level: number }>({
      type: 'record',
      name: 'Key',
      fields: [
        { name: 'user', type: 'string' },
        { name: 'level', type: 'int' },
      ],
    })
    const keyed = fromTopic('keyed', { value: event, key, timestamp: 'at', nullValues: 'keep' })
    const driver = await drive(
      topology(
        'keyed',
        keyed.pipe(window(globalWindow()), aggregate('counts', { c: count() }), to(warehouse('counts'))),
        keyed.pipe(to(topic('copy'))),
      ),
    )
    const value: Event = { k: null, id: 1, n: 1, at: T0 }
    await driver.pipe('keyed', { key: { user: 'u', level: 2 }, value })
    await driver.pipe('keyed', { key: { user: 'u', level: 2 }, value: null })
    await driver.pipe('keyed', { key: { user: 'u', level: 2 }, value: Buffer.from('x'), headers: [['h', '1']] })
    expect(await driver.rows('counts')).toEqual([{ user: 'u', level: 2, c: 2 }])
    expect(await driver.readOutput('copy')).toMatchObject([
      { key: { user: 'u', level: 2 }, value },
      { key: { user: 'u', level: 2 }, value: null },
    ])
    const [letter, ...others] = await driver.readDeadLetters()
    expect([letter!.value, letter!.headers[0], others]).toEqual([Buffer.from('x'), ['h', '1'], []])
    expect(await driver.readDeadLetters()).toEqual([])
  })

  it('names what it does not have', async () => {
    const driver = await drive(all)
    await expect(driver.pipe('evnts', at(1))).rejects.toThrow('The topology does not read "evnts". It reads "events".')
    await expect(driver.rows('hours')).rejects.toThrow('The topology has no table "hours". It has "minutes".')
    await expect(driver.readOutput('nothing')).rejects.toMatchObject({ code: 'MISSING_TOPIC' })
  })

  it('refuses a topology that is not sound, with all its problems', async () => {
    const unsound = topology(
      'unsound',
      minutes.pipe(to(warehouse('minutes', { sortKey: ['nothing' as 'k'] }))),
      events.pipe(window(tumbling('1 minute')), aggregate('minutes', { c: count() }), to(topic('out'))),
    )
    await expect(TopologyTestDriver.start(unsound)).rejects.toMatchObject({
      code: 'INVALID_TOPOLOGY',
      message: expect.stringContaining('names the column "nothing"'),
    })
    await expect(TopologyTestDriver.start(unsound)).rejects.toThrow('"minutes" is used twice')
  })

  it('starts at the real time where no start is given', async () => {
    const driver = await TopologyTestDriver.start(all)
    await driver.pipe('events', at(0, { n: 6, at: Date.now() }))
    expect(await driver.readOutput('large')).toHaveLength(1)
    await driver.close()
  })
})
