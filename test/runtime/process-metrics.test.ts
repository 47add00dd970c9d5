import { aggregate, count, mapValues, repartition, to, topology, tumbling, warehouse, window } from 'millrace'
import { describe, expect, it } from 'vitest'
import { type PrometheusMetrics, prometheusMetrics } from '../../src/metrics/prometheus-metrics.js'
import { LogError } from '../../src/ports/log.js'
import { ProcessMetrics } from '../../src/runtime/process-metrics.js'
import type { StreamProcess } from '../../src/runtime/stream-process.js'
import { figureOf, seriesOf } from '../metrics/figures.js'
import { type Event, event, events, T0 } from './events.js'
import { TestGroup } from './group.js'

const SECOND = 1_000

/** Counts by key and minute behind a repartition; a negative n fails. */
const counts = topology(
  'counts',
  { onError: 'deadLetter' },
  events.pipe(
    mapValues(
      (value: Event) => {
        if (value.n < 0) throw new RangeError(`secret ${value.n}`)
        return value
      },
      { value: event },
    ),
    repartition('by-k', { by: 'k' }),
    window(tumbling('1 minute')),
    aggregate('counted', { c: count() }),
    to(warehouse('rows', { freshness: '10 seconds' })),
  ),
)

const at = (seconds: number, fields: Partial<Event> = {}) => ({ at: T0 + seconds * SECOND, ...fields })

const open = (process = '0') => prometheusMetrics({ process, defaults: false })

async function outcomes(metrics: PrometheusMetrics): Promise<Record<string, number>> {
  const series = seriesOf(await metrics.snapshot(), 'records_total')
  return Object.fromEntries(series.filter(one => one.value > 0).map(({ labels, value }) => [labels.outcome, value]))
}

describe('the metrics of a process', () => {
  it('say what became of each record, and by how much late ones were late', async () => {
    const metrics = await open()
    const group = await TestGroup.create()
    const process = await group.start(counts, { metrics })
    await group.send(0, at(0), at(130), at(30), at(131, { n: -1 }), at(132, { k: null }))
    await process.settle()
    expect(await outcomes(metrics)).toEqual({ aggregated: 2, late: 1, dead_lettered: 1, skipped: 1 })
    const snapshot = await metrics.snapshot()
    expect(seriesOf(snapshot, 'records_total', { outcome: 'late' })).toEqual([
      {
        name: 'millrace_records_total',
        labels: {
          topology: 'counts',
          task: 'events/0',
          topic: 'events',
          partition: '0',
          outcome: 'late',
          process: '0',
        },
        value: 1,
      },
    ])
    expect(figureOf(snapshot, 'refused_windows_total', { task: 'events/0' })).toBe(1)
    expect(figureOf(snapshot, 'lateness_seconds_sum')).toBe(100)
    expect(seriesOf(snapshot, 'dead_letters_total')).toMatchObject([
      { labels: { topology: 'counts', node: 'map-values', reason: 'USER_CODE' }, value: 1 },
    ])
    expect(JSON.stringify(snapshot)).not.toContain('secret')
    await process.close()
  })

  it('say where time and windows stand', async () => {
    const metrics = await open()
    const group = await TestGroup.create()
    const process = await group.start(counts, { metrics })
    await group.send(0, at(0), at(1, { k: 'b' }), at(130))
    await process.settle()
    const snapshot = await metrics.snapshot()
    expect(figureOf(snapshot, 'lane_time_seconds', { task: 'events/0' })).toBe(T0 / SECOND + 130)
    expect(figureOf(snapshot, 'stream_time_seconds', { task: 'by-k/0' })).toBe(T0 / SECOND + 130)
    expect(figureOf(snapshot, 'open_windows', { task: 'by-k/0' })).toBe(1)
    expect(figureOf(snapshot, 'dirty_entries')).toBe(0)
    expect(figureOf(snapshot, 'held_partials', { topic: 'counts-by-k-repartition' })).toBe(0)
    expect(figureOf(snapshot, 'tasks', { state: 'running' })).toBe(2)
    expect(figureOf(snapshot, 'sinks', { state: 'open' })).toBe(1)
    expect(figureOf(snapshot, 'uncommitted_age_seconds')).toBe(0)
    await process.close()
  })

  it('know what was not read yet', async () => {
    const metrics = await open()
    const group = await TestGroup.create()
    const process = await group.start(counts, { metrics })
    await group.send(0, at(0))
    await process.settle()
    const lag = async () => figureOf(await metrics.snapshot(), 'lag_records', { topic: 'events' })
    expect(await lag()).toBe(0)
    await group.send(0, at(1), at(2), at(3))
    expect(await lag()).toBe(3)
    await process.settle()
    expect(await lag()).toBe(0)
    await process.close()
  })

  it('count what was committed, and nothing twice', async () => {
    const metrics = await open()
    const group = await TestGroup.create()
    let refuse = true
    const seen: unknown[] = []
    const before = async (operation: string) => {
      if (operation !== 'commit' || !refuse) return
      refuse = false
      seen.push(await outcomes(metrics))
      throw new LogError('abort', 'The broker says no.')
    }
    await group.send(0, at(0), at(1), at(2, { n: -1 }))
    const process = await group.start(counts, { metrics, watch: { before } })
    await process.settle()
    expect(seen).toEqual([{}])
    expect(await outcomes(metrics)).toEqual({ aggregated: 2, dead_lettered: 1 })
    const snapshot = await metrics.snapshot()
    expect(figureOf(snapshot, 'dead_letters_total')).toBe(1)
    expect(figureOf(snapshot, 'aborted_transactions_total')).toBe(1)
    expect(figureOf(snapshot, 'commit_duration_seconds_count')).toBeGreaterThan(0)
    // Two dead letters were sent, and one of them counts.
    const committed = figureOf(snapshot, 'commit_records_sum') as number
    expect(figureOf(snapshot, 'commit_bytes_sum')).toBeGreaterThan(committed)
    await process.close()
  })

  it('go on where they were after a restart', async () => {
    const group = await TestGroup.create()
    const first = await group.start(counts, { metrics: await open() })
    await group.send(0, at(0), at(1))
    await first.settle()
    await first.close()
    const metrics = await open()
    const second = await group.start(counts, { metrics })
    await second.settle()
    await group.send(0, at(2))
    await second.settle()
    expect(await outcomes(metrics)).toEqual({ aggregated: 3 })
    await second.close()
  })

  it('lose the series of tasks that moved away, and those of a process that closed', async () => {
    const metrics = { first: await open('0'), second: await open('1') }
    const group = await TestGroup.create(2)
    const first = await group.start(counts, { metrics: metrics.first, instanceId: 'first' })
    const second = await group.start(counts, { metrics: metrics.second, instanceId: 'second' })
    const partitions = async (of: PrometheusMetrics) =>
      seriesOf(await of.snapshot(), 'lane_time_seconds').map(({ labels }) => labels.partition)
    const turns = async (...processes: StreamProcess[]) => {
      for (let i = 0; i < 30; i++) for (const process of processes) await process.step(0)
    }
    await group.send(0, at(0))
    await group.send(1, at(0))
    await turns(first)
    expect(await partitions(metrics.first)).toEqual(['0', '1'])
    await turns(first, second)
    const [kept] = await partitions(metrics.first)
    const [moved] = await partitions(metrics.second)
    expect([kept, moved].sort()).toEqual(['0', '1'])
    const snapshot = await metrics.first.snapshot()
    expect(seriesOf(snapshot, 'records_total', { partition: moved as string })).toEqual([])
    expect(figureOf(snapshot, 'rebalances_total')).toBeGreaterThanOrEqual(2)
    expect(figureOf(snapshot, 'rebalanced_partitions_total', { change: 'revoked' })).toBeGreaterThanOrEqual(1)
    await first.close()
    expect(seriesOf(await metrics.first.snapshot(), 'tasks')).toEqual([])
    await second.close()
  })

  it('say what is in the warehouse and how far it lies behind the events', async () => {
    const metrics = await open()
    const group = await TestGroup.create()
    const process = await group.start(counts, { metrics })
    group.clock.time = T0 + 20 * SECOND
    await group.send(0, at(12), at(12, { k: 'b' }))
    for (let i = 0; i < 10; i++) await process.step(0)
    const place = { topology: 'counts', table: 'rows', partition: '0' }
    const waiting = await metrics.snapshot()
    expect(figureOf(waiting, 'warehouse_pending_rows', place)).toBe(2)
    expect(figureOf(waiting, 'warehouse_freshness_seconds', place)).toBe(8)
    group.clock.time += 5 * SECOND
    await process.step(0)
    await process.settle()
    group.clock.time += 60 * SECOND
    const flushed = await metrics.snapshot()
    expect(figureOf(flushed, 'warehouse_freshness_seconds', place)).toBe(13)
    expect(figureOf(flushed, 'warehouse_freshness_target_seconds')).toBe(10)
    expect(figureOf(flushed, 'warehouse_pending_rows', place)).toBe(0)
    expect(figureOf(flushed, 'warehouse_rows_total', { ...place, change: 'upserted' })).toBe(2)
    expect(figureOf(flushed, 'warehouse_flushes_total', { ...place, result: 'ok' })).toBe(1)
    expect(figureOf(flushed, 'warehouse_flush_duration_seconds_count', { table: 'rows' })).toBe(1)
    await process.close()
  })

  it('promise final rows only once their windows close', async () => {
    const metrics = await open()
    const group = await TestGroup.create()
    const final = topology(
      'final',
      events.pipe(
        window(tumbling('1 minute', { grace: '30 seconds' })),
        aggregate('counted', { c: count() }, { emit: 'final' }),
        to(warehouse('rows', { freshness: '10 seconds' })),
      ),
    )
    const process = await group.start(final, { metrics })
    await process.settle()
    expect(figureOf(await metrics.snapshot(), 'warehouse_freshness_target_seconds')).toBe(100)
    await process.close()
  })

  it('say how far restoring is, and when it will be done', async () => {
    const group = await TestGroup.create()
    const seed = await group.start(counts)
    await group.send(0, ...Array.from({ length: 40 }, (_, i) => at(0, { k: `k${i}` })))
    await seed.settle()
    await seed.close()
    const metrics = await open()
    const process = await group.start(counts, { metrics, restoreSlice: 0, watch: { pollRecords: 1 } })
    const task = { topology: 'counts', task: 'by-k/0' }
    while (process.restoreProgress.done < 10) {
      group.clock.time += 50
      await process.step(0)
    }
    const snapshot = await metrics.snapshot()
    const done = figureOf(snapshot, 'restored_records', task) as number
    const expected = figureOf(snapshot, 'restore_expected_records', task) as number
    expect(done).toBeGreaterThanOrEqual(10)
    expect(expected).toBeGreaterThanOrEqual(40)
    const left = figureOf(snapshot, 'restore_eta_seconds') as number
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(expected)
    expect(figureOf(snapshot, 'tasks', { state: 'restoring' })).toBe(1)
    await process.settle()
    expect(seriesOf(await metrics.snapshot(), 'restored_records')).toEqual([])
    expect(seriesOf(await metrics.snapshot(), 'restore_eta_seconds')).toEqual([])
    await process.close()
  })

  it('tell entries that were in memory from those that were looked up', async () => {
    const lookups = async (metrics: PrometheusMetrics) => {
      const snapshot = await metrics.snapshot()
      return ['hit', 'miss'].map(result => figureOf(snapshot, 'cache_lookups_total', { task: 'by-k/0', result }))
    }
    const group = await TestGroup.create()
    const [one, two] = [await open(), await open()]
    const first = await group.start(counts, { metrics: one })
    for (const seconds of [0, 1, 2]) {
      await group.send(0, at(seconds))
      await first.settle()
    }
    expect(await lookups(one)).toEqual([2, 0])
    await first.close()
    const second = await group.start(counts, { metrics: two })
    for (const seconds of [3, 4]) {
      await group.send(0, at(seconds))
      await second.settle()
    }
    expect(await lookups(two)).toEqual([1, 1])
    await second.close()
  })
})

it('lag does not count what no task sees: the control records behind the last record', async () => {
  const group = await TestGroup.create()
  const metrics = new ProcessMetrics({ topology: counts, log: group.log, clock: group.clock, metrics: await open() })
  const place = { topic: 'events', partition: 0 }
  await group.send(0, at(0), at(1))
  const process = await group.start(counts)
  await process.settle()
  metrics.measure({
    tasks: { all: process.runningTasks },
    sinks: { all: [], pressures: [] },
    writers: [],
    deadLetters: { counts: [], committed: () => undefined, givenUp: () => undefined },
    process,
  })
  const nothing = { batches: [], ends: [], assigned: [], revoked: [], lost: [] }
  await metrics.refresh()
  expect(metrics.lagOf(place, 1)).toBe(1)
  metrics.polled({ ...nothing, ends: [{ ...place, offset: 2 }] })
  expect(metrics.lagOf(place, 1)).toBe(0)
  metrics.polled({ ...nothing, revoked: [place] })
  expect(metrics.lagOf(place, 1)).toBe(1)
  await process.close()
})
