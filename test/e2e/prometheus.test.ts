import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { type PrometheusService, prometheusAvailable, promtool, startPrometheus } from '../services/prometheus.js'
import { Rig } from './rig.js'
import { until } from './until.js'

const kafka = inject('kafka') ?? ''
const postgres = inject('postgres') ?? ''
const RULES = fileURLToPath(new URL('../../deploy/prometheus/rules.yaml', import.meta.url))
const HOUR = 3_600_000
const TOTAL = 20_000
const PARTITIONS = 4
const PASSWORD = 'hunter2-of-the-warehouse'

/** The value of an expression whose vector has one element; undefined where it has none. */
async function scalarOf(prometheus: PrometheusService, expression: string): Promise<number | undefined> {
  const [only, ...others] = await prometheus.query(expression)
  expect(others).toEqual([])
  return only?.value
}

describe.skipIf(kafka === '' || postgres === '' || prometheusAvailable() !== undefined)('Prometheus', () => {
  it('scrapes a worker of two processes: it read what was produced, and nothing is left', async () => {
    const rig = await Rig.create({ kafka, postgres })
    const data = { seed: 77, start: Date.now() - 2 * HOUR, spanMs: 2 * HOUR, total: TOTAL, partitions: PARTITIONS }
    await rig.produce(data)
    const worker = rig.worker({ processes: '2' }, { MILLRACE_WAREHOUSE_PASSWORD: PASSWORD })
    const [, address = ''] = await worker.logged(/^Health and metrics are at http:\/\/(\S+)\.$/)
    const prometheus = await startPrometheus({ targets: [address], rules: [RULES] })
    onTestFinished(() => prometheus.stop())
    const value = (expression: string) => scalarOf(prometheus, expression)
    const state = async () => `${JSON.stringify(await prometheus.api('targets'))}\n${worker.output}`
    const reaches = (expression: string, wanted: number) =>
      until(`${expression} = ${wanted}`, 90_000, async () => (await value(expression)) === wanted, state)

    await reaches('sum(millrace_records_total)', TOTAL)
    await reaches('sum(millrace_records_total{outcome="aggregated"})', TOTAL)
    // Every transaction leaves a control record behind the last record of a partition: that is no lag.
    await reaches('sum(millrace_lag_records)', 0)
    await rig.filled(TOTAL, 60_000, () => worker.output)
    await reaches('sum(millrace_warehouse_pending_rows)', 0)

    expect(await value('count(count by (process) (millrace_tasks))')).toBe(2)
    expect(await value('sum(millrace_tasks{state="running"})')).toBe(2 * PARTITIONS)
    expect(await value('sum(millrace_sinks{state="open"})')).toBe(PARTITIONS)
    expect(await value('sum(millrace_process_state{state="running"})')).toBe(2)
    expect(await value('count(millrace_lane_time_seconds)')).toBe(PARTITIONS)
    // One lane a partition, wherever its task is: none is told by two processes.
    expect(await value('max(count by (partition) (millrace_lane_time_seconds))')).toBe(1)
    const latest = (data.start + data.spanMs) / 1_000
    const time = (await value('max(millrace_lane_time_seconds)')) as number
    expect(Math.abs(latest - time)).toBeLessThan(60)
    expect(await value('sum(millrace_commit_duration_seconds_count)')).toBeGreaterThan(0)
    expect(await value('sum(millrace_commit_bytes_sum)')).toBeGreaterThan(TOTAL / 10)
    expect(await value('sum(millrace_state_bytes)')).toBeGreaterThan(0)
    const [rows] = await rig.database.query('SELECT count(*)::text AS count FROM quest_minute')
    expect(await value('sum(millrace_warehouse_rows_total{change="upserted"})')).toBeGreaterThanOrEqual(
      Number(rows?.count),
    )
    expect(await value('max by (table) (millrace_warehouse_freshness_target_seconds)')).toBe(1)
    expect(await value('max by (table) (millrace_warehouse_freshness_seconds)')).toBeGreaterThan(0)
    expect(await value('sum(process_resident_memory_bytes{process="1"})')).toBeGreaterThan(10_000_000)

    const text = await (await fetch(`http://${address}/metrics`)).text()
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' })
    expect(text).toContain('millrace_warehouse_sessions{')
    expect(text).not.toContain(PASSWORD)

    const { groups } = (await prometheus.api('rules')) as {
      readonly groups: {
        readonly rules: { readonly name: string; readonly health: string; readonly state: string }[]
      }[]
    }
    const rules = groups.flatMap(group => group.rules)
    expect(rules.length).toBeGreaterThan(5)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    expect(rules.filter(rule => rule.state === 'firing')).toEqual([])
    expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
  }, 240_000)
})
