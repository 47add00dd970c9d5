import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { kafkaLog } from '../../src/log/kafka/kafka-log.js'
import type { Log } from '../../src/ports/log.js'
import { type PostgresService, startPostgres } from '../../test/services/postgres.js'
import { TcpProxy } from '../../test/services/tcp-proxy.js'
import { startTrino } from '../../test/services/trino.js'
import type { WorkerCost } from '../worker.js'
import { askBoth, type Estimates } from './ask.js'
import { EventTopic, eventHeader, PARTITIONS } from './event-topic.js'
import { type Asked, type Figures, figures } from './figures.js'
import { type Freshness, type LiveOptions, live } from './live.js'
import { Pipeline, ROLLUPS, repartitioned } from './pipeline.js'
import { PostgresCost } from './postgres-cost.js'
import { QuestEvents } from './quest-events.js'
import { questions } from './questions.js'
import { RawTable } from './raw-table.js'
import { Truth } from './truth.js'

/** As a good DBA sets them for a warehouse of this size on a machine of its own; autovacuum stays on. */
const SETTINGS = [
  'effective_cache_size=12GB',
  'work_mem=64MB',
  'maintenance_work_mem=1GB',
  'max_wal_size=16GB',
  'checkpoint_timeout=30min',
  'random_page_cost=1.1',
]
/** Runs of fewer events, such as those of tests, do with less memory. */
const SMALL = 1_000_000
/** Of the tables while the worker works off what is there. */
const CATCH_UP_FRESHNESS = '10 seconds'
const ANALYST = 'analyst'

export interface PrestoOptions extends LiveOptions {
  /** Bootstrap servers. */
  readonly kafka: string
  readonly events: number
  /** How often each question is asked on each side, after once to warm up. */
  readonly runs: number
  /** Takes what is going on, a line each. */
  readonly report: (line: string) => void
}

/** What the pipeline itself cost to roll the events up. */
export interface PipelineCost extends WorkerCost {
  /** CPU of PostgreSQL while it took the rows, in seconds. */
  readonly postgresCpuSeconds: number
  /** From the start of the worker until the tables stood for all events. */
  readonly seconds: number
}

/** Records by partition. */
export interface Partitions {
  /** The source topic, keyed by user. */
  readonly byUser: readonly number[]
  /** What a topic keyed by quest type would hold without combining. */
  readonly byQuestType: readonly number[]
  /** The repartition topic of the pipeline: keyed by quest type and combined, for three tables. */
  readonly combined: readonly number[]
}

export interface Size {
  readonly table: string
  readonly rows: number
  /** With its indexes. */
  readonly megabytes: number
}

/** What one run found. */
export interface PrestoResult {
  readonly events: number
  readonly runs: number
  readonly figures: Figures
  readonly asked: readonly Asked[]
  readonly estimates: Estimates | undefined
  readonly pipeline: PipelineCost
  readonly partitions: Partitions
  readonly sizes: readonly Size[]
  readonly freshness: Freshness
  readonly seconds: number
}

/** Puts the same events into a table and, rolled up by a worker, into four small ones, and asks Trino both. */
export async function presto(options: PrestoOptions): Promise<PrestoResult> {
  const state = await mkdtemp(join(tmpdir(), 'millrace-presto-'))
  const log = await kafkaLog({ brokers: options.kafka })
  let postgres: PostgresService | undefined
  try {
    postgres = await startPostgres(undefined, [...SETTINGS, `shared_buffers=${isSmall(options) ? '128MB' : '2GB'}`])
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    try {
      return await new Presto(options, log, postgres.url, client, state).run()
    } finally {
      await client.end()
    }
  } finally {
    await postgres?.stop()
    await log.close()
    await rm(state, { recursive: true, force: true })
  }
}

const isSmall = ({ events }: PrestoOptions): boolean => events < SMALL

class Presto {
  private readonly startedAt = performance.now()
  private readonly namespace = `presto${Date.now().toString(36)}`
  private readonly source = `${this.namespace}-quest-events`

  constructor(
    private readonly options: PrestoOptions,
    private readonly log: Log,
    private readonly url: string,
    private readonly client: pg.Client,
    private readonly state: string,
  ) {}

  async run(): Promise<PrestoResult> {
    const { events, kafka } = this.options
    const truth = await this.load()
    await this.client.query(`CREATE ROLE ${ANALYST} LOGIN IN ROLE pg_read_all_data`)
    const proxy = await TcpProxy.to(Number(new URL(this.url).port))
    const postgres = await PostgresCost.of(this.url, ANALYST)
    try {
      const warehouse = this.url.replace(/:\d+\//, `:${proxy.port}/`)
      const pipeline = await this.rollUp(warehouse, postgres)
      const freshness = await live(
        { kafka, warehouse, namespace: `${this.namespace}live`, state: join(this.state, 'live') },
        this.log,
        this.client,
        { ...this.options, report: line => this.report(line) },
      )
      const asked = await this.ask(postgres, truth)
      const estimates = asked.find(question => question.estimates !== undefined)?.estimates
      const combined = await repartitioned(this.log, this.namespace)
      return {
        events,
        runs: this.options.runs,
        figures: figures(asked, proxy.peak),
        asked,
        estimates,
        pipeline,
        partitions: { byUser: truth.byUser, byQuestType: truth.byQuestType, combined },
        sizes: await this.sizes(),
        freshness,
        seconds: this.seconds(),
      }
    } finally {
      await postgres.close()
      await proxy.close()
    }
  }

  /** The same events into the topic and into the table. */
  private async load(): Promise<Truth> {
    const { events } = this.options
    this.report(`Loading ${events} events into ${this.source} and the table quest_events …`)
    const truth = new Truth(PARTITIONS)
    const workload = new QuestEvents(events, await eventHeader(this.source))
    const topic = await EventTopic.create(this.log, this.source)
    const table = await RawTable.create(this.url)
    try {
      for (let index = 0; index < events; index++) {
        workload.next()
        truth.add(workload.event, topic.send(workload))
        if (table.add(workload.event)) await table.drained()
        if (topic.full) await topic.flush()
      }
      await topic.flush()
      this.report('Indexing and analysing the table …')
      await table.finish()
    } finally {
      await topic.close()
      await table.close()
    }
    return truth
  }

  private async rollUp(warehouse: string, postgres: PostgresCost): Promise<PipelineCost> {
    const { kafka, events } = this.options
    this.report('Rolling up …')
    const before = await postgres.spent()
    const startedAt = performance.now()
    const pipeline = new Pipeline(
      {
        kafka,
        warehouse,
        namespace: this.namespace,
        source: this.source,
        freshness: CATCH_UP_FRESHNESS,
        state: join(this.state, 'history'),
      },
      this.client,
    )
    try {
      await pipeline.untilComplete(events)
      const seconds = (performance.now() - startedAt) / 1_000
      const cost = await pipeline.end()
      const postgresCpuSeconds = (await postgres.spent()).cpuSeconds - before.cpuSeconds
      // What autovacuum does within minutes, now, so that it falls into no measurement.
      for (const table of ROLLUPS) await this.client.query(`VACUUM ANALYZE ${this.namespace}.${table}`)
      return { ...cost, postgresCpuSeconds, seconds }
    } finally {
      await pipeline.kill()
    }
  }

  private async ask(postgres: PostgresCost, truth: Truth): Promise<(Asked & { readonly estimates?: Estimates })[]> {
    this.report('Starting Trino …')
    const trino = await startTrino({
      postgres: this.url.replace('postgres@', `${ANALYST}@`),
      heapMb: isSmall(this.options) ? 1_200 : 4_096,
      // https://trino.io/docs/368/connector/postgresql.html: by default Trino asks for a table's columns in each query anew.
      catalog: { 'metadata.cache-ttl': '1h', 'metadata.cache-missing': 'true' },
    })
    try {
      const exact = truth.playersByTypeAndDay()
      const asked: (Asked & { readonly estimates?: Estimates })[] = []
      for (const question of questions(this.options.events, this.namespace)) {
        this.report(`Asking: ${question.title} …`)
        asked.push(await askBoth(question, this.options.runs, sql => trino.query(sql), postgres, exact))
      }
      return asked
    } finally {
      await trino.close()
    }
  }

  private async sizes(): Promise<Size[]> {
    const sizes: Size[] = []
    for (const table of ['quest_events', ...ROLLUPS]) {
      const name = table === 'quest_events' ? table : `${this.namespace}.${table}`
      const { rows } = await this.client.query(
        `SELECT (SELECT count(*) FROM ${name})::float8 AS rows, pg_total_relation_size($1) / 1e6::float8 AS megabytes`,
        [name],
      )
      sizes.push({ table, rows: rows[0].rows as number, megabytes: rows[0].megabytes as number })
    }
    return sizes
  }

  private report(what: string): void {
    this.options.report(`${this.seconds().toFixed(0).padStart(4)} s  ${what}`)
  }

  private seconds(): number {
    return (performance.now() - this.startedAt) / 1_000
  }
}
