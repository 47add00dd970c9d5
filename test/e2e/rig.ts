import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type ProduceOptions, produceEvents } from '../../src/cli/produce.js'
import type { QuestEventOptions } from '../../src/cli/quest-events.js'
import { systemClock } from '../../src/cli/system-clock.js'
import { kafkaLog } from '../../src/log/kafka/kafka-log.js'
import type { Log } from '../../src/ports/log.js'
import { type Accounting, addAccounting, noAccounting } from '../../src/runtime/accounting.js'
import type { TaskProgress } from '../../src/runtime/progress.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { unique } from '../log/member.js'
import { ProgressHistory } from './progress-history.js'
import { QuestDatabase } from './quest-database.js'
import { SCHEMAS } from './quest-topic.js'
import { until } from './until.js'
import { Worker } from './worker.js'

const QUEST_MINUTE = fileURLToPath(new URL('./topologies/quest-minute.ts', import.meta.url))

export interface RigOptions {
  readonly kafka: string
  /** URL of a server, where the test gets a database of its own; without it, the topology writes to a topic. */
  readonly postgres?: string
  readonly file?: string
  readonly flags?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly source?: string
}

/** What one test has for itself: a source topic, a namespace, a database and a state folder. All of it ends with the test. */
export class Rig {
  readonly history: ProgressHistory

  private constructor(
    private readonly options: RigOptions,
    readonly log: Log,
    readonly namespace: string,
    readonly source: string,
    readonly state: string,
    private readonly questDatabase: QuestDatabase | undefined,
  ) {
    this.history = new ProgressHistory(log, `${this.group}-progress`)
  }

  static async create(options: RigOptions): Promise<Rig> {
    const namespace = unique('e2e')
    const log = await kafkaLog({ brokers: options.kafka })
    const state = await mkdtemp(join(tmpdir(), 'millrace-e2e-'))
    const database =
      options.postgres === undefined
        ? undefined
        : await QuestDatabase.create(options.postgres, namespace.replaceAll('-', '_'))
    onTestFinished(async () => {
      await database?.close()
      await log.close()
      await rm(state, { recursive: true, force: true })
    })
    return new Rig(options, log, namespace, options.source ?? `${namespace}-events`, state, database)
  }

  get database(): QuestDatabase {
    if (!this.questDatabase) throw new Error('This test has no database.')
    return this.questDatabase
  }

  get group(): string {
    return `${this.namespace}.quest-minute`
  }

  /** Writes quest events `[from, to)` into the source topic. */
  produce(options: QuestEventOptions & Partial<ProduceOptions>): ReturnType<typeof produceEvents> {
    return produceEvents(
      { from: 0, to: options.total, topic: this.source, ...options },
      { log: this.log, registry: fileRegistry({ schemas: SCHEMAS }), clock: systemClock },
    )
  }

  /** Starts a worker. Flags given here win over those of the rig. */
  worker(flags: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}): Worker {
    const { file = QUEST_MINUTE, kafka } = this.options
    return new Worker({
      file,
      flags: {
        kafka,
        ...(this.questDatabase && { warehouse: this.questDatabase.url }),
        state: this.state,
        schemas: SCHEMAS,
        namespace: this.namespace,
        'instance-id': 'worker',
        ...this.options.flags,
        ...flags,
      },
      env: { SOURCE: this.source, ...this.options.env, ...env },
    })
  }

  /** Starts a worker with a name and a state folder of its own: a member of the group beside others. */
  member(name: string, flags: Readonly<Record<string, string>> = {}): Worker {
    return this.worker({ 'instance-id': name, state: this.stateOf(name), ...flags })
  }

  stateOf(member: string): string {
    return join(this.state, member)
  }

  /** Waits until the table stands for this many events. */
  async filled(events: number, withinMs: number, state: () => string = () => ''): Promise<void> {
    await until(
      `${events} events in the warehouse`,
      withinMs,
      async () => (await this.database.events()) >= events,
      async () => `It holds ${await this.database.events()}; ${JSON.stringify(await this.accounting())} ${state()}`,
    )
  }

  /** Waits until a worker has committed more than `read` records; answers how many. */
  async readBeyond(read: number, worker: Worker): Promise<number> {
    const look = async () => {
      const now = (await this.accounting()).read
      return now > read && now
    }
    return until(`more than ${read} records read`, 60_000, look, () => worker.output)
  }

  /** The counters of all tasks, as last committed. */
  async accounting(): Promise<Accounting & { readonly lateAfterIdle: number }> {
    const total = noAccounting()
    let lateAfterIdle = 0
    for (const task of (await this.progress()).values()) {
      addAccounting(total, task.accounting)
      lateAfterIdle += task.lateAfterIdle
    }
    return { ...total, lateAfterIdle }
  }

  /** What each task committed last, by its name. */
  async progress(): Promise<ReadonlyMap<string, TaskProgress>> {
    await this.history.update()
    return this.history.tasks
  }

  /** Records that were read and committed, by partition of the source topic. */
  async readOf(partitions: readonly number[]): Promise<readonly number[]> {
    const tasks = await this.progress()
    return partitions.map(partition => tasks.get(`${this.source}/${partition}`)?.nextOffset ?? 0)
  }
}
