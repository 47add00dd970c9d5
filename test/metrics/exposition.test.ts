import { expect, test } from 'vitest'
import { exposition } from '../../src/metrics/exposition.js'
import { prometheusMetrics } from '../../src/metrics/prometheus-metrics.js'
import type { MetricDefinition } from '../../src/ports/metrics.js'

const OPEN: MetricDefinition<'task'> = { name: 'test_open_windows', help: 'Open.', type: 'gauge', labels: ['task'] }
const TOOK: MetricDefinition<'task'> = {
  name: 'test_took_seconds',
  help: 'Took.',
  type: 'histogram',
  labels: ['task'],
  buckets: [1],
}

async function snapshotOf(process: string, windows: number) {
  const metrics = await prometheusMetrics({ process, defaults: false })
  metrics.add({ report: report => report(OPEN, windows, { task: 'a "quoted" name\\' }) })
  metrics.histogram(TOOK, { task: 'a' }).observe(windows)
  return JSON.parse(JSON.stringify(await metrics.snapshot()))
}

test('processes are put side by side: nothing is summed', async () => {
  const { contentType, text } = await exposition([await snapshotOf('0', 2), await snapshotOf('1', 0.5)])
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  const task = String.raw`task="a \"quoted\" name\\"`
  expect(text.trim().split('\n')).toEqual([
    '# HELP test_took_seconds Took.',
    '# TYPE test_took_seconds histogram',
    'test_took_seconds_bucket{le="1",task="a",process="0"} 0',
    'test_took_seconds_bucket{le="+Inf",task="a",process="0"} 1',
    'test_took_seconds_sum{task="a",process="0"} 2',
    'test_took_seconds_count{task="a",process="0"} 1',
    'test_took_seconds_bucket{le="1",task="a",process="1"} 1',
    'test_took_seconds_bucket{le="+Inf",task="a",process="1"} 1',
    'test_took_seconds_sum{task="a",process="1"} 0.5',
    'test_took_seconds_count{task="a",process="1"} 1',
    '',
    '# HELP test_open_windows Open.',
    '# TYPE test_open_windows gauge',
    `test_open_windows{${task},process="0"} 2`,
    `test_open_windows{${task},process="1"} 0.5`,
  ])
})

test('a worker without processes has no figures', async () => {
  expect((await exposition([])).text.trim()).toBe('')
})

test('a series that two processes claim is told once, as the first of them said it', async () => {
  const { text } = await exposition([await snapshotOf('0', 2), await snapshotOf('0', 3)])
  expect(text.match(/^test_open_windows\{.*$/gm)).toEqual([expect.stringMatching(/ 2$/)])
})
