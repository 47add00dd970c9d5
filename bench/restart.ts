import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aggregate, avro, count, fromTopic, max, sum, to, topic, topology, tumbling, window } from 'millrace'
import { systemClock } from '../src/cli/system-clock.js'
import { kafkaLog } from '../src/log/kafka/kafka-log.js'
import type { Log } from '../src/ports/log.js'
import { StreamProcess } from '../src/runtime/stream-process.js'
import { avroSerde } from '../src/serde/avro-serde.js'
import { fileRegistry } from '../src/serde/file-registry.js'
import { rocksdbNativeEngine } from '../src/state/rocksdb/native-engine.js'

interface Visit {
  readonly value: number
  readonly at: number
}

const visit = avro<Visit>({
  type: 'record',
  name: 'Visit',
  fields: [
    { name: 'value', type: 'long' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
})

const EVENTS_A_FLUSH = 100_000

export interface RestartOptions {
  /** Bootstrap servers. */
  readonly kafka: string
  /** Entries of the store, in all partitions together. */
  readonly entries: number
  /** Changelog records that the store lacks at the restart. */
  readonly tail: number
  readonly partitions: number
  readonly report: (line: string) => void
}

/** What one run found. Times count from the start of the process to the turn in which all its tasks run. */
export interface RestartResult {
  readonly entries: number
  readonly tail: number
  /** Restart with a store that lacks the tail. */
  readonly restartSeconds: number
  /** Changelog records that the restart read. */
  readonly restartRecords: number
  /** Start without any store. */
  readonly rebuildSeconds: number
  readonly rebuildRecords: number
  /** From the first record of the rebuild to its last: without connecting and joining the group. */
  readonly rebuildEntriesPerSecond: number
  /** Windows found in the rebuilt stores that are missing or too many. */
  readonly wrongEntries: number
}

/** Builds state by the runtime itself, then starts processes on what is left of it. */
export async function restart(options: RestartOptions): Promise<RestartResult> {
  const state = await mkdtemp(join(tmpdir(), 'millrace-restart-'))
  const log = await kafkaLog({ brokers: options.kafka })
  try {
    return await new Restart(log, state, options).run()
  } finally {
    await log.close()
    await rm(state, { recursive: true, force: true })
  }
}

/** How long a start took, and what it read. */
interface Started {
  readonly process: StreamProcess
  readonly seconds: number
  readonly records: number
  readonly recordsPerSecond: number
}

class Restart {
  private readonly name = `bench-restart-${Date.now().toString(36)}`
  private readonly serde = avroSerde(fileRegistry({ schemas: [] }))
  private readonly start = Date.now()

  constructor(
    private readonly log: Log,
    private readonly state: string,
    private readonly options: RestartOptions,
  ) {}

  async run(): Promise<RestartResult> {
    const { entries, tail, partitions, report } = this.options
    await this.log.createTopics([{ name: this.name, partitions, config: { 'retention.ms': '-1' } }])
    report(`Building a state of ${entries} entries in ${partitions} partitions …`)
    await this.load(0, entries - tail)
    await this.process('first', entries - tail)
    await cp(join(this.state, 'first'), join(this.state, 'older'), { recursive: true })
    await this.load(entries - tail, entries)
    await this.process('first', entries)

    report(`Restarting with a store that lacks the last ${tail} entries …`)
    const restarted = await this.ready('older')
    await restarted.process.close()
    report('Restarting without a store …')
    const rebuilt = await this.ready('none')
    let found = 0
    for (const task of rebuilt.process.runningTasks) {
      for (const { windows } of task.tables) found += (await windows.entries()).length
    }
    await rebuilt.process.close()
    return {
      entries,
      tail,
      restartSeconds: rounded(restarted.seconds),
      restartRecords: restarted.records,
      rebuildSeconds: rounded(rebuilt.seconds),
      rebuildRecords: rebuilt.records,
      rebuildEntriesPerSecond: Math.round(rebuilt.recordsPerSecond),
      wrongEntries: Math.abs(entries - found),
    }
  }

  /** One event of each key `[from, to)`. */
  private async load(from: number, to: number): Promise<void> {
    const writer = await this.serde.writer(`${this.name}-value`, visit.schema)
    const producer = await this.log.producer()
    for (let index = from; index < to; index++) {
      const value = writer.encode({ value: index, at: this.start + (index % 1_000) })
      producer.send(this.name, index % this.options.partitions, Buffer.from(`user-${index}`), value, this.start)
      if (index % EVENTS_A_FLUSH === 0) await producer.flush()
    }
    await producer.flush()
    await producer.close()
  }

  private begin(stores: string, lines: string[]): Promise<StreamProcess> {
    const visits = fromTopic(this.name, { value: visit, timestamp: 'at', keyColumn: 'user' })
    return StreamProcess.start({
      topology: topology(
        'restart',
        visits.pipe(
          window(tumbling('1 day', { grace: '30 days' })),
          aggregate('visits', { visits: count(), total: sum('value'), highest: max('value') }, { emit: 'final' }),
          to(topic(`${this.name}-out`)),
        ),
      ),
      namespace: this.name,
      log: this.log,
      serde: this.serde,
      stores: rocksdbNativeEngine(),
      stateDirectory: join(this.state, stores),
      clock: systemClock,
      instanceId: 'bench',
      logger: { info: line => lines.push(line), warn: line => this.options.report(line) },
    })
  }

  /** Processes all that is there, and ends. */
  private async process(stores: string, events: number): Promise<void> {
    const process = await this.begin(stores, [])
    while ((await process.status()).accounting.read < events) await process.step(100)
    await process.close()
  }

  private async ready(stores: string): Promise<Started> {
    const lines: string[] = []
    const startedAt = performance.now()
    const process = await this.begin(stores, lines)
    let beganAt = Number.NaN
    while (process.health().running < this.options.partitions) {
      await process.step(10)
      if (Number.isNaN(beganAt) && process.health().restoring > 0) beganAt = performance.now()
    }
    const endedAt = performance.now()
    const counted = lines.flatMap(line => /restored (\d+) changelog records/.exec(line)?.[1] ?? [])
    const records = counted.reduce((sum, text) => sum + Number(text), 0)
    return {
      process,
      seconds: (endedAt - startedAt) / 1_000,
      records,
      recordsPerSecond: (1_000 * records) / (endedAt - beganAt),
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
