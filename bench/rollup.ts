import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { kafkaLog } from '../src/log/kafka/kafka-log.js'
import type { Log } from '../src/ports/log.js'
import { type Accounting, addAccounting, noAccounting } from '../src/runtime/accounting.js'
import { readProgress } from '../src/runtime/progress.js'
import { changelogTopic, groupOf, progressTopic, repartitionTopic } from '../src/topology/names.js'
import { OutputCells } from './output-cells.js'
import { loadWorkload, SCHEMAS, type Traffic, trafficOf } from './source-topic.js'
import { MeasuredWorker } from './worker.js'

const TOPOLOGY = fileURLToPath(new URL('./topologies/rollup.ts', import.meta.url))
const LOOK_EVERY_MS = 250
/** The benchmark gives up when the output does not change for this long. */
const STALLED_MS = 60_000
/** Settings of the Java producer that loaded the topic for Kafka Streams. */
const LOADER = { 'batch.size': 16_384, 'linger.ms': 5, 'compression.codec': 'none' }

export interface RollupOptions {
  /** Bootstrap servers. */
  readonly kafka: string
  readonly events: number
  readonly guarantee: 'exactly_once' | 'at_least_once'
  /** Of the windows: a duration such as `1 day`. */
  readonly grace: string
  /** Longest time between commits: a duration such as `100ms`. */
  readonly commitInterval: string
  /** A folder for CPU profiles of the worker's processes. */
  readonly profile?: string
  /** Takes what is going on, a line each. */
  readonly report: (line: string) => void
}

/** What one run found. */
export interface RollupResult {
  /** User and system time of the worker's whole process tree, from start to clean exit, by input records. */
  readonly cpuMicrosPerRecord: number
  /** From the start of the worker to the last row. */
  readonly recordsPerSecond: number
  /** Sum over the worker's processes. */
  readonly peakRssMb: number
  /** Cells of the output that are missing, too many, or not what the generator says. */
  readonly wrongCells: number
  /** Records that were left out because their window was over. */
  readonly late: number
  readonly events: number
  readonly cells: number
  readonly cpuSeconds: number
  readonly seconds: number
  readonly repartition: Traffic
  readonly changelog: Traffic
  readonly output: Traffic
  /** What became of the records that were read. */
  readonly accounting: Accounting
}

/** Runs the roll-up on one worker with one process and compares its rows with the generator's own count. */
export async function rollup(options: RollupOptions): Promise<RollupResult> {
  const { kafka, events, report } = options
  const log = await kafkaLog({ brokers: kafka })
  const state = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  try {
    const source = `bench-quest-events-${events}`
    report(`Loading ${events} events into ${source} …`)
    const loader = await kafkaLog({ brokers: kafka, config: LOADER })
    const expected = await loadWorkload(loader, source, events).finally(() => loader.close())
    return await measured(log, source, expected, state, options)
  } finally {
    await log.close()
    await rm(state, { recursive: true, force: true })
  }
}

async function measured(
  log: Log,
  source: string,
  expected: Awaited<ReturnType<typeof loadWorkload>>,
  state: string,
  options: RollupOptions,
): Promise<RollupResult> {
  const { kafka, events, report, guarantee, grace, commitInterval, profile } = options
  const namespace = `bench-${Date.now().toString(36)}`
  const output = `${namespace}-quest-minute`
  await log.createTopics([{ name: output, partitions: 8, config: { 'retention.ms': '-1' } }])
  const group = groupOf({ name: 'rollup' }, namespace)
  const rows = new OutputCells(log, output, join(state, 'schemas.json'))

  report(`Running ${guarantee.replaceAll('_', ' ')}, grace ${grace}, commits every ${commitInterval} …`)
  const flags = { kafka, state, schemas: SCHEMAS, namespace, guarantee, 'commit-interval': commitInterval }
  const worker = new MeasuredWorker(
    [TOPOLOGY, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
    { SOURCE: source, OUTPUT: output, GRACE: grace },
    profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  )
  try {
    await untilComplete(rows, worker, events)
    const seconds = (performance.now() - worker.startedAt) / 1_000
    const { cpuSeconds, peakRssMb } = await worker.end()
    await rows.read()
    const { wrong, examples } = rows.compare(expected)
    for (const example of examples) report(`Wrong cell: ${example}`)
    const { accounting, late } = await counters(log, progressTopic(group))
    return {
      cpuMicrosPerRecord: rounded((cpuSeconds * 1e6) / events, 2),
      recordsPerSecond: Math.round(events / seconds),
      peakRssMb: Math.round(peakRssMb),
      wrongCells: wrong,
      late,
      events,
      cells: expected.size,
      cpuSeconds: rounded(cpuSeconds, 2),
      seconds: rounded(seconds, 2),
      repartition: await trafficOf(log, repartitionTopic(group, { name: 'by-quest-type' })),
      changelog: await trafficOf(log, changelogTopic(group, { name: 'quest-minute' })),
      output: await trafficOf(log, output),
      accounting,
    }
  } finally {
    await worker.kill()
  }
}

/** Waits until the committed rows stand for all events, or nothing comes any more. */
async function untilComplete(rows: OutputCells, worker: MeasuredWorker, events: number): Promise<void> {
  let seen = 0
  let changedAt = performance.now()
  for (;;) {
    await sleep(LOOK_EVERY_MS)
    await rows.read()
    if (rows.events >= events) return
    if (!worker.running) throw new Error(`The worker ended:\n${worker.output}`)
    if (rows.events !== seen) changedAt = performance.now()
    seen = rows.events
    if (performance.now() - changedAt > STALLED_MS) return
  }
}

async function counters(log: Log, topic: string): Promise<{ readonly accounting: Accounting; readonly late: number }> {
  const accounting = noAccounting()
  let late = 0
  for (const task of (await readProgress(log, topic)).tasks.values()) {
    addAccounting(accounting, task.accounting)
    late += task.lateAfterIdle
  }
  return { accounting, late: late + accounting.late }
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))
