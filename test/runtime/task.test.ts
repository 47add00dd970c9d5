import {
  aggregate,
  aggregator,
  avro,
  count,
  filter,
  flatMap,
  map,
  mapValues,
  repartition,
  to,
  topic,
  topology,
  tumbling,
  window,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { at, drive, type Event, event, events, lines, T0 } from './events.js'

const minute = tumbling('60 seconds', { grace: '10 seconds' })
const perKey = { by: 'k' } as const

/** Fails on records with `n` below zero. */
function picky(e: Event): Event {
  if (e.n < 0) throw new TypeError(`n is ${e.n}`)
  return e
}

function none() {
  return { read: 0, aggregated: 0, filtered: 0, late: 0, deadLettered: 0, skipped: 0, refusedWindows: 0 }
}

describe('outcomes of records', () => {
  const counted = () =>
    topology(
      'outcomes',
      events.pipe(repartition('by-k', perKey), window(minute), aggregate('counts', { c: count() }), to(topic('out'))),
    )

  it('counts an accepted record as aggregated', async () => {
    const driver = await drive(counted())
    await driver.pipe('events', at(1))
    expect(await driver.accounting()).toEqual({ ...none(), read: 1, aggregated: 1 })
  })

  it('counts null values and missing keys as skipped, and a null key only where a key is needed', async () => {
    const driver = await drive(counted())
    await driver.pipe('events', { value: null, key: 'a' })
    await driver.pipe('events', at(1, { k: null }))
    await driver.pipe('events', at(1, { k: 'a' }, { key: null }))
    expect(await driver.accounting()).toEqual({ ...none(), read: 3, skipped: 2, aggregated: 1 })
  })

  it('counts what no branch wanted as filtered', async () => {
    const driver = await drive(
      topology(
        'outcomes',
        events.pipe(
          filter(e => e.n > 5),
          to(topic('big')),
        ),
        events.pipe(
          filter(e => e.n > 7),
          to(topic('huge')),
        ),
      ),
    )
    await driver.pipeAll('events', [at(1, { n: 1 }), at(1, { n: 6 }), at(1, { n: 8 })])
    expect(await driver.accounting()).toEqual({ ...none(), read: 3, filtered: 1, aggregated: 2 })
  })

  it('counts a record that every window refused as late, and each refused window', async () => {
    const driver = await drive(counted())
    await driver.pipeAll('events', [at(0), at(70), at(59), at(60)])
    expect(await driver.accounting()).toEqual({ ...none(), read: 4, aggregated: 3, late: 1, refusedWindows: 1 })
  })

  it('takes a missing key of one branch before the success of another', async () => {
    const driver = await drive(
      topology(
        'outcomes',
        events.pipe(to(topic('copy'))),
        events.pipe(repartition('by-k', perKey), window(minute), aggregate('counts', { c: count() }), to(topic('out'))),
      ),
    )
    await driver.pipe('events', at(1, { k: null }, { key: 'x' }))
    expect(await driver.accounting()).toEqual({ ...none(), read: 1, skipped: 1 })
    expect(await driver.readOutput('copy')).toHaveLength(1)
  })

  it('counts as aggregated what one branch took and another refused as late', async () => {
    const driver = await drive(
      topology(
        'outcomes',
        events.pipe(to(topic('copy'))),
        events.pipe(repartition('by-k', perKey), window(minute), aggregate('counts', { c: count() }), to(topic('out'))),
      ),
    )
    await driver.pipeAll('events', [at(200), at(0)])
    expect(await driver.accounting()).toEqual({ ...none(), read: 2, aggregated: 2, refusedWindows: 1 })
  })

  it('does not count work behind a repartition again', async () => {
    const driver = await drive(
      topology(
        'outcomes',
        events.pipe(
          repartition('by-k', perKey),
          filter(e => e.n > 0),
          window(minute),
          aggregate('counts', { c: count() }),
          to(topic('out')),
        ),
      ),
    )
    await driver.pipeAll('events', [at(1), at(2, { n: 0 })])
    expect(await driver.accounting()).toEqual({ ...none(), read: 2, aggregated: 2 })
    expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
  })
})

describe('what moves a lane', () => {
  const counted = () =>
    topology(
      'moves',
      events.pipe(
        filter(e => e.n > 0),
        repartition('by-k', perKey),
        window(minute),
        aggregate('counts', { c: count() }, { emit: 'final' }),
        to(topic('out')),
      ),
    )

  it('is a filtered record, a null value, and a record that fails', async () => {
    for (const mover of [at(100, { n: 0 }), { key: 'a', value: null, timestamp: T0 + 100_000 }]) {
      const driver = await drive(counted())
      await driver.pipeAll('events', [at(0), mover])
      expect(await lines(driver, 'out')).toEqual(['"a" @0 1'])
    }
  })

  it('is no record without a key, undecodable, or too far ahead', async () => {
    const driver = await drive(counted())
    await driver.pipeAll('events', [
      at(0),
      at(100, { k: null }),
      { key: 'a', value: Buffer.from('nonsense'), timestamp: T0 + 100_000 },
      at(3_601),
      at(5),
    ])
    expect(await lines(driver, 'out')).toEqual([])
    expect(await driver.accounting()).toEqual({ ...none(), read: 5, aggregated: 2, skipped: 1, deadLettered: 2 })
    await driver.pipe('events', at(70))
    expect(await lines(driver, 'out')).toEqual(['"a" @0 2'])
  })

  it('judges maxAhead by the wall clock', async () => {
    const driver = await drive(counted())
    await driver.pipe('events', at(3_601))
    await driver.advanceWallClock('1 second')
    await driver.pipe('events', at(3_601))
    expect(await driver.accounting()).toMatchObject({ aggregated: 1, deadLettered: 1 })
  })
})

describe('errors', () => {
  const failing = (onError: 'fail' | 'skip' | 'deadLetter') =>
    topology(
      'failing',
      { onError },
      events.pipe(to(topic('copy'))),
      events.pipe(repartition('by-k', perKey), window(minute), aggregate('counts', { c: count() }), to(topic('out'))),
      events.pipe(mapValues(picky, { value: event }), to(topic('picky'))),
    )

  it('leave no trace of the record in any branch, and keep its bytes and headers in the dead letter', async () => {
    const driver = await drive(failing('deadLetter'), { partitions: 2 })
    const bad = at(2, { n: -3 }, { key: 'bad', headers: [['trace', '7']], partition: 1 })
    await driver.pipeAll('events', [at(1, {}, { partition: 1 }), bad, at(3, {}, { partition: 1 })])
    expect(await lines(driver, 'out')).toEqual(['"a" @0 2'])
    expect(await driver.readOutput('copy')).toHaveLength(2)
    expect(await driver.readOutput('picky')).toHaveLength(2)
    const [letter, ...others] = await driver.readDeadLetters()
    expect(others).toEqual([])
    expect(letter!.key!.toString()).toBe('bad')
    expect(letter!.value![0]).toBe(0)
    expect(letter!.headers).toEqual([
      ['trace', '7'],
      ['__streams.errors.exception', 'TypeError'],
      ['__streams.errors.message', 'map-values: n is -3'],
      ['__streams.errors.topic', 'events'],
      ['__streams.errors.partition', '1'],
      ['__streams.errors.offset', '1'],
    ])
    expect(await driver.accounting()).toEqual({ ...none(), read: 3, aggregated: 2, deadLettered: 1 })
  })

  it('under skip are counted and nothing else', async () => {
    const driver = await drive(failing('skip'))
    await driver.pipeAll('events', [at(1), at(2, { n: -3 })])
    expect(await driver.readDeadLetters()).toEqual([])
    expect(await driver.readOutput('copy')).toHaveLength(1)
    expect(await driver.accounting()).toEqual({ ...none(), read: 2, aggregated: 1, skipped: 1 })
  })

  it('under fail stop, naming the record', async () => {
    const driver = await drive(failing('fail'))
    await expect(driver.pipeAll('events', [at(1), at(2, { n: -3 })])).rejects.toThrow(
      /map-values failed on the record at events\/0, offset 1: n is -3/,
    )
  })

  it('of bytes, schema ids and timestamps are set aside one by one', async () => {
    const driver = await drive(failing('deadLetter'))
    const unknown = Buffer.from([0, 0, 0, 0, 99, 1, 2, 3])
    await driver.pipeAll('events', [
      { key: 'a', value: Buffer.alloc(0) },
      { key: 'a', value: Buffer.from([1, 2, 3, 4, 5, 6]) },
      { key: 'a', value: unknown },
      at(0, { at: -5 }),
      at(1),
    ])
    const letters = await driver.readDeadLetters()
    const reasons = letters.map(l => l.headers.find(([name]) => name === '__streams.errors.exception')![1])
    expect(reasons).toEqual(['UNDECODABLE', 'UNDECODABLE', 'UNKNOWN_SCHEMA_ID', 'INVALID_TIMESTAMP'])
    expect(letters[2]!.value).toEqual(unknown)
    expect(await driver.accounting()).toEqual({ ...none(), read: 5, aggregated: 1, deadLettered: 4 })
  })

  it('of a custom aggregate or reducer are those of the record', async () => {
    const strict = aggregator<Event, number>({
      state: 'long',
      zero: 0,
      add: (state, e) => {
        picky(e)
        return state + e.n
      },
    })
    const driver = await drive(
      topology(
        'failing',
        events.pipe(window(minute), aggregate('strict', { total: strict, c: count() }), to(topic('out'))),
        events.pipe(window(minute), aggregate('counts', { c: count() }), to(topic('counts'))),
        events.pipe(to(topic('copy'))),
      ),
    )
    await driver.pipeAll('events', [at(1, { n: 2 }), at(2, { n: -1 }), at(3, { n: 4 })])
    expect(await lines(driver, 'out')).toEqual(['"a" @0 6 2'])
    expect(await lines(driver, 'counts')).toEqual(['"a" @0 2'])
    expect(await driver.readOutput('copy')).toHaveLength(2)
    expect(await driver.accounting()).toEqual({ ...none(), read: 3, aggregated: 2, deadLettered: 1 })
  })

  it('of one of several records of a flatMap take all of them', async () => {
    const strict = aggregator<Event, number>({
      state: 'long',
      zero: 0,
      add: (state, e) => state + picky(e).n,
      merge: (a, b) => a + b,
    })
    const driver = await drive(
      topology(
        'failing',
        events.pipe(
          flatMap(({ value }) => [1, 2].map(i => ({ value: { ...value, n: i === 2 ? value.n : 1 } })), {
            value: event,
          }),
          repartition('by-k', perKey),
          window(minute),
          aggregate('strict', { total: strict }),
          to(topic('out')),
        ),
      ),
    )
    await driver.pipeAll('events', [at(1, { n: 5 }), at(2, { n: -1 }), at(3, { n: 7 })])
    expect(await lines(driver, 'out')).toEqual(['"a" @0 14'])
  })

  it('of a key that does not have its declared columns are those of the record', async () => {
    const driver = await drive(
      topology(
        'failing',
        events.pipe(
          map(({ value }) => ({ key: value.n < 0 ? { k: 5 } : { k: 'x' }, value }) as never, {
            key: keySchema,
            value: event,
          }),
          window(minute),
          aggregate('counts', { c: count() }),
          to(topic('out')),
        ),
      ),
    )
    await driver.pipeAll('events', [at(1), at(2, { n: -1 }), at(3)])
    expect(await driver.accounting()).toEqual({ ...none(), read: 3, aggregated: 2, deadLettered: 1 })
  })
})

const keySchema = avro<{ readonly k: string }>({
  type: 'record',
  name: 'Key',
  fields: [{ name: 'k', type: 'string' }],
})
