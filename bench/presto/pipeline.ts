import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import type { Log } from '../../src/ports/log.js'
import { groupOf, repartitionTopic } from '../../src/topology/names.js'
import { SCHEMAS } from '../source-topic.js'
import { MeasuredWorker, type WorkerCost } from '../worker.js'

const TOPOLOGY = fileURLToPath(new URL('../topologies/presto.ts', import.meta.url))
/** Tables of the topology. Each row of any has the number of events that it stands for. */
export const ROLLUPS = ['quest_five_minutes', 'quest_hour', 'quest_day', 'region_day'] as const
const LOOK_EVERY_MS = 500
/** The benchmark gives up when the tables do not change for this long. */
const STALLED_MS = 90_000

export interface PipelineOptions {
  readonly kafka: string
  /** Where the worker writes to: a `postgres://` URL. */
  readonly warehouse: string
  /** Prefix of topics, and schema of the tables: lower-case letters and digits. */
  readonly namespace: string
  readonly source: string
  /** Of the tables: a duration such as `60 seconds`. */
  readonly freshness: string
  /** Folder of the stores. */
  readonly state: string
}

/** A worker of the built package that keeps the rollups of `bench/topologies/presto.ts`. */
export class Pipeline {
  private readonly worker: MeasuredWorker

  constructor(
    private readonly options: PipelineOptions,
    private readonly client: pg.Client,
  ) {
    const { kafka, warehouse, namespace, source, freshness, state } = options
    const flags = { kafka, warehouse, 'warehouse-sessions': '1', namespace, state, schemas: SCHEMAS, http: 'off' }
    this.worker = new MeasuredWorker(
      [TOPOLOGY, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
      { SOURCE: source, FRESHNESS: freshness },
    )
  }

  /** Waits until each table stands for `events` events. @throws Error when the worker ends, or nothing changes any more. */
  async untilComplete(events: number): Promise<void> {
    let seen = ''
    let changedAt = performance.now()
    for (;;) {
      const counts = await this.counts()
      if (counts.every(count => count === events)) return
      if (counts.some(count => count !== undefined && count > events))
        throw new Error(`The rollups stand for too many events: ${counts}.`)
      this.assertRunning()
      if (`${counts}` !== seen) changedAt = performance.now()
      seen = `${counts}`
      if (performance.now() - changedAt > STALLED_MS) {
        throw new Error(`The rollups stand still at ${counts} of ${events} events:\n${this.worker.output}`)
      }
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** Waits until all tables exist. */
  async untilPrepared(): Promise<void> {
    while ((await this.counts()).includes(undefined)) {
      this.assertRunning()
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** Events that each of the tables stands for; undefined where it does not exist yet. */
  private async counts(): Promise<(number | undefined)[]> {
    const counts: (number | undefined)[] = []
    for (const table of ROLLUPS) {
      const name = `${this.options.namespace}.${table}`
      const { rows: found } = await this.client.query('SELECT to_regclass($1) IS NOT NULL AS found', [name])
      if (!found[0].found) counts.push(undefined)
      else {
        const { rows } = await this.client.query(`SELECT coalesce(sum(events), 0)::float8 AS events FROM ${name}`)
        counts.push(rows[0].events as number)
      }
    }
    return counts
  }

  assertRunning(): void {
    if (!this.worker.running) throw new Error(`The worker ended:\n${this.worker.output}`)
  }

  end(): Promise<WorkerCost> {
    return this.worker.end()
  }

  kill(): Promise<void> {
    return this.worker.kill()
  }
}

/** Records of each partition of the repartition topic by quest type: partials, with the markers between them. */
export async function repartitioned(log: Log, namespace: string): Promise<number[]> {
  const topic = repartitionTopic(groupOf({ name: 'presto' }, namespace), { name: 'by-quest-type' })
  const partitions = (await log.describeTopics([topic])).get(topic)?.partitions ?? 0
  const records = new Array<number>(partitions).fill(0)
  for (let partition = 0; partition < partitions; partition++) {
    const { low, high } = await log.watermarks({ topic, partition })
    for await (const batch of log.read({ topic, partition }, low, high)) records[partition]! += batch.count
  }
  return records
}
