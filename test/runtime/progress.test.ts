import {
  aggregate,
  count,
  distinct,
  int,
  max,
  repartition,
  sum,
  to,
  topic,
  topology,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { describe, expect, it } from 'vitest'
import { noAccounting } from '../../src/runtime/accounting.js'
import { readProgress, sendTaskProgress, type TaskProgress } from '../../src/runtime/progress.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import type { Measure } from '../../src/topology/measure.js'
import { type Event, events, T0 } from './events.js'
import { TestGroup } from './group.js'

type Measures = Record<string, Measure<Event, unknown>>

const total = (measures: Measures, size: '1 hour' | '2 hours' = '1 hour') =>
  topology(
    'edited',
    events.pipe(
      repartition('by-k', { by: 'k' }),
      window(tumbling(size)),
      aggregate('totals', measures),
      to(topic('out')),
    ),
  )

const at = (ms: number, n: number) => ({ at: T0 + ms, id: 0, n })

/** Runs a topology over some records, closes it, and answers the last row. */
async function run(group: TestGroup, given: ReturnType<typeof total>, ...records: ReturnType<typeof at>[]) {
  const process = await group.start(given, { engine: memoryEngine() })
  await group.send(0, ...records)
  await process.settle()
  await process.close()
  return (await group.values('out')).at(-1)
}

describe('an edited aggregate', () => {
  it('that got another measure reads its old state, with the new measure at zero', async () => {
    const group = await TestGroup.create()
    expect(await run(group, total({ n: sum(int<Event>(e => e.n)) }), at(0, 5), at(1, 6))).toEqual({ n: 11 })
    const grown = total({ n: sum(int<Event>(e => e.n)), events: count(), most: max('n'), kinds: distinct('n') })
    expect(await run(group, grown, at(2, 7))).toEqual({ n: 18, events: 1, most: 7, kinds: 1 })
    expect(await run(group, total({ n: sum(int<Event>(e => e.n)), events: count() }), at(3, 1))).toEqual({
      n: 19,
      events: 2,
    })
  })

  it('that got another measure reads partials that the old version left in the repartition topic', async () => {
    const group = await TestGroup.create()
    const old = total({ n: sum(int<Event>(e => e.n)) })
    const process = await group.start(old)
    await process.settle()
    await group.send(0, at(0, 5), at(1, 6))
    // One step reads the records and commits their partial; nobody reads that.
    await process.step(0)
    await process.kill()
    expect(await group.values('out')).toEqual([])
    expect(await run(group, total({ n: sum(int<Event>(e => e.n)), events: count() }), at(2, 7))).toEqual({
      n: 18,
      events: 1,
    })
  })

  it.each([
    [
      'a measure of another meaning',
      total({ n: max('n') }),
      /"totals".*measure n was "sum\(int\)" and is "max\(long\)"/,
    ],
    [
      'another window',
      total({ n: sum(int<Event>(e => e.n)) }, '2 hours'),
      /"totals".*window was \["tumbling",3600000,3600000\] and is/,
    ],
    [
      'another key',
      topology(
        'edited',
        events.pipe(
          repartition('by-k', { by: ['k', 'n'] }),
          window(tumbling('1 hour')),
          aggregate('totals', { m: sum(int<Event>(e => e.n)) }),
          to(topic('out')),
        ),
      ),
      /"totals".*key was \["k text"\] and is \["k text","n long"\]/,
    ],
  ])('that got %s is refused by name before anything starts', async (_, edited, message) => {
    const group = await TestGroup.create()
    await run(group, total({ n: sum(int<Event>(e => e.n)) }), at(0, 5))
    await expect(group.start(edited)).rejects.toMatchObject({
      code: 'STATE_INCOMPATIBLE',
      message: expect.stringMatching(message),
    })
    expect(await run(group, total({ n: sum(int<Event>(e => e.n)) }), at(1, 6))).toEqual({ n: 11 })
  })

  it('may have another grace and another emission', async () => {
    const group = await TestGroup.create()
    await run(group, total({ n: sum(int<Event>(e => e.n)) }), at(0, 5))
    const edited = topology(
      'edited',
      events.pipe(
        repartition('by-k', { by: 'k' }),
        window(tumbling('1 hour', { grace: '5 minutes' })),
        aggregate('totals', { n: sum(int<Event>(e => e.n)) }, { emit: 'final' }),
        to(topic('out')),
      ),
    )
    expect(await run(group, edited, at(3_900_000, 1))).toEqual({ n: 5 })
  })

  it('fills its warehouse table on, rows of the old version included', async () => {
    const group = await TestGroup.create()
    const table = (measures: Measures) =>
      topology(
        'edited',
        events.pipe(
          repartition('by-k', { by: 'k' }),
          window(tumbling('1 hour')),
          aggregate('totals', measures),
          to(warehouse('totals')),
        ),
      )
    const first = await group.start(table({ n: sum(int<Event>(e => e.n)) }))
    await group.send(0, at(0, 5))
    for (let i = 0; i < 6; i++) await first.step(0)
    await first.kill()
    const second = await group.start(table({ n: sum(int<Event>(e => e.n)), most: max('n') }))
    await second.settle()
    const spec = {
      name: 'totals',
      columns: [
        { name: 'k', type: 'text', nullable: true },
        { name: 'n', type: 'long', nullable: false },
        { name: 'most', type: 'long', nullable: true },
      ],
      key: ['k'],
      sortKey: [],
    } as const
    const rows: unknown[] = []
    for await (const row of group.warehouse.rows(spec)) rows.push(row)
    expect(rows).toEqual([['a', 5, null]])
    await second.close()
  })
})

describe('an internal value that nobody knows', () => {
  const counted = total({ n: sum(int<Event>(e => e.n)) })

  it('in a repartition topic stops the process, which says what it may be', async () => {
    const group = await TestGroup.create()
    const process = await group.start(counted)
    await process.settle()
    const producer = await group.log.producer()
    producer.send(
      'edited-by-k-repartition',
      0,
      Buffer.from('k'),
      Buffer.concat([Buffer.of(1), Buffer.alloc(40, 7)]),
      T0,
    )
    await producer.flush()
    await expect(process.settle()).rejects.toMatchObject({
      code: 'UNKNOWN_FORMAT',
      message: expect.stringMatching(/"by-k" holds a partial with the fingerprint 0707070707070707.*Run one version/),
    })
    await process.kill()
  })

  it('in the progress topic stops it, too', async () => {
    const group = await TestGroup.create()
    await run(group, counted, at(0, 1))
    const producer = await group.log.producer()
    producer.send('edited-progress', 0, Buffer.from('new kind'), Buffer.from('\u0009        {}'), T0)
    await producer.flush()
    await expect(group.start(counted)).rejects.toMatchObject({ code: 'UNKNOWN_FORMAT' })
  })

  it('of another version running in the same group is refused, not misread', async () => {
    const group = await TestGroup.create(2)
    const old = await group.start(total({ n: sum(int<Event>(e => e.n)) }), { instanceId: 'old' })
    await old.settle()
    const edited = await group.start(total({ n: sum(int<Event>(e => e.n)), events: count() }), { instanceId: 'new' })
    const both = async () => {
      for (let i = 0; i < 15; i++) for (const process of [old, edited]) await process.step(0)
    }
    const records = ['a', 'b', 'c', 'd', 'e', 'f'].map((k, i) => ({ ...at(i, 1), k }))
    await both()
    await group.send(0, ...records)
    await group.send(1, ...records)
    await expect(both()).rejects.toMatchObject({ code: 'UNKNOWN_FORMAT' })
    await old.kill()
    await edited.settle()
    const counts = (await group.values('out')).filter(row => 'events' in row)
    expect(counts.length).toBeGreaterThan(0)
    await edited.close()
  })
})

describe('readProgress', () => {
  it('gives the last record of each task', async () => {
    const group = await TestGroup.create()
    await group.log.createTopics([{ name: 'progress', partitions: 1, config: {} }])
    const producer = await group.log.producer()
    const progress = (nextOffset: number): TaskProgress => ({
      nextOffset,
      laneTime: null,
      streamTime: T0,
      lanes: null,
      accounting: noAccounting(),
      lateAfterIdle: 0,
    })
    for (const [task, offset] of [
      ['a/0', 1],
      ['b/0', 2],
      ['a/0', 3],
    ] as const) {
      sendTaskProgress(producer, 'progress', task, progress(offset), T0)
    }
    await producer.flush()
    const { tasks } = await readProgress(group.log, 'progress')
    expect([...tasks]).toEqual([
      ['a/0', progress(3)],
      ['b/0', progress(2)],
    ])
  })
})
