import { expect, test } from 'vitest'
import { prometheusMetrics } from '../../src/metrics/prometheus-metrics.js'
import type { MetricDefinition } from '../../src/ports/metrics.js'

const LAG: MetricDefinition<'topic'> = { name: 'test_lag_records', help: 'Lag.', type: 'gauge', labels: ['topic'] }
const READ: MetricDefinition<'topic'> = { name: 'test_read_total', help: 'Read.', type: 'counter', labels: ['topic'] }
const TOOK: MetricDefinition<'topic'> = {
  name: 'test_took_seconds',
  help: 'Took.',
  type: 'histogram',
  labels: ['topic'],
  buckets: [0.1, 1],
}

const open = (process = '0') => prometheusMetrics({ process, defaults: false })

test('sources are asked when metrics are read, and every series names its process', async () => {
  const metrics = await open('3')
  let lag = 5
  metrics.add({
    report(report) {
      report(LAG, lag, { topic: 'a' })
      report(READ, 7, { topic: 'a' })
    },
  })
  await metrics.snapshot()
  lag = 6
  expect(await metrics.snapshot()).toMatchObject([
    { name: 'test_lag_records', type: 'gauge', values: [{ value: 6, labels: { topic: 'a', process: '3' } }] },
    { name: 'test_read_total', type: 'counter', values: [{ value: 7, labels: { topic: 'a', process: '3' } }] },
  ])
})

test('what a source does not say any more is gone, and a source that was removed with it', async () => {
  const metrics = await open()
  const topics = ['a', 'b']
  const remove = metrics.add({ report: report => topics.forEach(topic => void report(LAG, 1, { topic })) })
  const kept = async () => (await metrics.snapshot()).flatMap(({ values }) => values.map(({ labels }) => labels.topic))
  expect(await kept()).toEqual(['a', 'b'])
  topics.shift()
  expect(await kept()).toEqual(['b'])
  remove()
  expect(await kept()).toEqual([])
})

test('sources are refreshed before; one that fails says what it knew', async () => {
  const metrics = await open()
  let looked = 0
  let reachable = true
  metrics.add({
    async refresh() {
      if (!reachable) throw new Error('out of reach')
      looked++
    },
    report: report => report(LAG, looked, { topic: 'a' }),
  })
  const lag = async () => (await metrics.snapshot())[0]?.values[0]?.value
  expect([await lag(), await lag()]).toEqual([1, 2])
  reachable = false
  expect(await lag()).toBe(2)
})

test('a source that does not answer holds nobody up', { timeout: 20_000 }, async () => {
  const metrics = await open()
  metrics.add({ refresh: () => new Promise(() => undefined), report: report => report(LAG, 4, { topic: 'a' }) })
  expect(await metrics.snapshot()).toMatchObject([{ values: [{ value: 4 }] }])
})

test('two readers at a time see the same figures once', async () => {
  const metrics = await open()
  metrics.add({ refresh: async () => undefined, report: report => report(READ, 3, { topic: 'a' }) })
  const [one, two] = await Promise.all([metrics.snapshot(), metrics.snapshot()])
  expect(one).toMatchObject([{ values: [{ value: 3 }] }])
  expect(two).toEqual(one)
})

test('a histogram is there before its first observation, and keeps what it saw', async () => {
  const metrics = await open()
  const took = metrics.histogram(TOOK, { topic: 'a' })
  const counts = async () => {
    const [metric] = await metrics.snapshot()
    return metric?.values.map(({ labels, value }) => [labels.le, value])
  }
  expect(await counts()).toEqual([
    [0.1, 0],
    [1, 0],
    ['+Inf', 0],
    [undefined, 0],
    [undefined, 0],
  ])
  for (const seconds of [0.05, 0.5, 5]) took.observe(seconds)
  metrics.histogram(TOOK, { topic: 'a' })
  expect(await counts()).toEqual([
    [0.1, 1],
    [1, 2],
    ['+Inf', 3],
    [undefined, 5.55],
    [undefined, 3],
  ])
})

test('a snapshot survives JSON; what is no number is left out', async () => {
  const metrics = await open()
  metrics.histogram(TOOK, { topic: 'a' }).observe(1)
  metrics.add({
    report(report) {
      report(LAG, Number.NEGATIVE_INFINITY, { topic: 'a' })
      report(LAG, Number.NaN, { topic: 'b' })
      report(LAG, 0, { topic: 'c' })
    },
  })
  const snapshot = await metrics.snapshot()
  expect(snapshot.find(({ name }) => name === LAG.name)?.values.map(({ labels }) => labels.topic)).toEqual(['c'])
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
})

test("Node's own figures come along, unless they break the naming rules", async () => {
  const names = (await (await prometheusMetrics({ process: '0' })).snapshot()).map(({ name }) => name)
  expect(names).toContain('process_cpu_seconds_total')
  expect(names).toContain('process_resident_memory_bytes')
  expect(names).toContain('nodejs_eventloop_lag_seconds')
  expect(names).not.toContain('nodejs_active_handles_total')
})
