import { describe, expect, test } from 'vitest'
import { prometheusMetrics } from '../../src/metrics/prometheus-metrics.js'
import type { MetricDefinition } from '../../src/ports/metrics.js'
import { METRICS } from '../../src/runtime/metrics.js'
import { workerMetrics } from '../../src/worker/worker-metrics.js'
import { tableUnder, textOf } from './markdown.js'

const PAGE = 'docs/metrics.md'
const RULES = 'deploy/prometheus/rules.yaml'

/** What a worker itself defines, as it reports it. */
function workerDefinitions(): MetricDefinition[] {
  const found = new Set<MetricDefinition>()
  const status = {
    process: 0,
    state: 'running',
    since: 0,
    heardAt: 0,
    restarts: 0,
    failures: 0,
    unanswered: 0,
  } as const
  const view = { processes: () => [status], snapshots: async () => new Map() }
  workerMetrics(view).report(definition => found.add(definition))
  return [...found]
}

const defined: readonly MetricDefinition[] = [...Object.values<MetricDefinition>(METRICS), ...workerDefinitions()]

/** Series that a definition brings, by name. */
const seriesNames = new Set(
  defined.flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map(suffix => `${name}${suffix}`) : [name],
  ),
)

const labelOf = new Set([...defined.flatMap(({ labels }) => labels), 'process', 'instance', 'le'])

/** Names and labels of PromQL in a text. */
function used(text: string) {
  const names = [...text.matchAll(/\bmillrace_\w+/g)].map(([name]) => name)
  const grouped = [...text.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '))
  const matched = [...text.matchAll(/\{(\w+)=/g)].map(([, label = '']) => label)
  return { names, labels: [...grouped, ...matched] }
}

describe('docs/metrics.md', () => {
  const headings = ['Records', 'Progress', 'State', 'Commits', 'Group', 'Warehouse', 'Worker']
  const rows = headings.flatMap(heading => tableUnder(PAGE, `## ${heading}`))

  test('lists every metric with its type and labels, and no other', () => {
    const listed = new Map(rows.map(([name, type, labels]) => [name, `${type}: ${labels}`]))
    expect(listed.size).toBe(rows.length)
    expect(listed).toEqual(new Map(defined.map(({ name, type, labels }) => [name, `${type}: ${labels.join(', ')}`])))
  })

  test('says of each what it is and what to do', () => {
    for (const [name, , , what = '', then = ''] of rows) {
      expect([name, what.length > 20, then.length > 10]).toEqual([name, true, true])
    }
  })

  test('names only metrics and labels that there are', () => {
    const { names, labels } = used(textOf(PAGE))
    const known = new Set([...seriesNames, ...defined.map(({ name }) => name)])
    expect(names.filter(name => !known.has(name))).toEqual([])
    expect(labels.filter(label => !labelOf.has(label))).toEqual([])
  })
})

test('alerts name only series and labels that there are', () => {
  const { names, labels } = used(textOf(RULES))
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter(name => !seriesNames.has(name))).toEqual([])
  expect(labels.filter(label => !labelOf.has(label))).toEqual([])
})

test('definitions follow the naming rules: a base unit last, _total for counters alone, help in a sentence', () => {
  for (const { name, type, help, labels, buckets } of defined) {
    expect(name).toMatch(/^millrace_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(type === 'counter')
    expect(name).not.toMatch(/millis|minutes|hours|kilo|_ms\b/)
    expect(help).toMatch(/^[A-Z0-9].*\.$/)
    expect(labels).not.toContain('le')
    expect(type === 'histogram').toBe(buckets !== undefined)
    expect([...(buckets ?? [])].sort((a, b) => a - b)).toEqual([...(buckets ?? [])])
  }
  expect(new Set(defined.map(({ name }) => name)).size).toBe(defined.length)
})

test('Prometheus can take every definition', async () => {
  const metrics = await prometheusMetrics({ process: '0', defaults: false })
  const labelsOf = (labels: readonly string[]) => Object.fromEntries(labels.map(label => [label, 'x']))
  metrics.add({
    report(report) {
      for (const one of defined) if (one.type !== 'histogram') report(one, 1, labelsOf(one.labels))
    },
  })
  for (const one of defined) if (one.type === 'histogram') metrics.histogram(one, labelsOf(one.labels)).observe(1)
  const names = (await metrics.snapshot()).map(({ name }) => name)
  expect([...names].sort()).toEqual(defined.map(({ name }) => name).sort())
})
