import { MillraceError, messageOf } from '../model/errors.js'
import { partitionFor } from '../model/murmur2.js'
import type { TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { Log, LogConsumer } from '../ports/log.js'
import type { Warehouse } from '../ports/warehouse.js'
import { warehousePermitsGroup, warehousePermitsTopic } from '../topology/names.js'
import { Attempt } from './attempt.js'
import { SessionTurns } from './session-turns.js'

/**
 * Two, so that one long flush, such as that of a table being rebuilt, does not hold up all others, and few enough for a
 * warehouse whose sessions are scarce.
 */
export const DEFAULT_WAREHOUSE_SESSIONS = 2

/** How long a flush under way may hold up a permit that is to go to another process, in ms; then its session is closed. */
const LET_GO_WITHIN = 20_000

/** Work in the warehouse that takes longer is spoken of, in ms. */
const SLOW = 10_000

export interface PermitOptions {
  readonly log: Log
  readonly clock: Clock
  /** Told of permits and of slow work. */
  readonly logger: { info(message: string): void; warn(message: string): void }
  readonly warehouse: Warehouse
  readonly namespace?: string
  /** Names of all topologies of the worker. Workers that run the same ones share a budget. */
  readonly topologies: readonly string[]
  /** Permits in all, where the topic of permits is still to be created; default 2. */
  readonly sessions?: number
}

/** A permit that is asked back. */
interface Leaving {
  readonly at: TopicPartition
  readonly turns: SessionTurns
  readonly deadline: number
  closing?: Attempt<void>
}

/**
 * The permits for sessions in the warehouse that this process holds, of those that all workers of its group share: the
 * partitions of a topic, as Kafka's group protocol shares them out. Who holds a permit has one session, and writes the
 * tables whose rows topic falls to it. A session is closed before its permit is let go, so that there are never more
 * sessions than permits; whose membership ran out stops at once, and the warehouse fences what it may still do.
 */
export class WarehousePermits {
  private readonly held = new Map<number, SessionTurns>()
  private readonly leaving = new Set<Leaving>()
  private stepping: Promise<void> | undefined
  /** Sessions whose slow work was spoken of, with its start. */
  private readonly slow = new Map<SessionTurns, number>()
  /** Changes whenever a permit comes or goes. */
  version = 0

  private constructor(
    private readonly consumer: LogConsumer,
    /** Of all workers of the group. */
    private readonly count: number,
    private readonly options: PermitOptions,
  ) {}

  /** Creates the topic of permits where there is none, and joins the group. @throws LogError */
  static async open(options: PermitOptions): Promise<WarehousePermits> {
    const { log, namespace, sessions = DEFAULT_WAREHOUSE_SESSIONS, logger, topologies, warehouse } = options
    const topic = warehousePermitsTopic(namespace)
    const describe = async () => (await log.describeTopics([topic])).get(topic)?.partitions
    if ((await describe()) === undefined) await log.createTopics([{ name: topic, partitions: sessions, config: {} }])
    const count = await describe()
    if (count === undefined) throw new MillraceError('MISSING_TOPIC', `${log.name} does not show the topic "${topic}".`)
    if (count !== sessions) {
      logger.warn(
        `The topic "${topic}" has ${count} partitions, so all workers use ${count} sessions in the warehouse, and not the ${sessions} that are asked for. To change that, stop all workers, delete the topic, and start them with --warehouse-sessions ${sessions}.`,
      )
    }
    await warehouse.sessions?.allow?.(0)
    // No static member: its permits would wait for it while it is away.
    const consumer = await log.consumer({ group: warehousePermitsGroup(topologies, namespace) })
    consumer.subscribe([topic])
    return new WarehousePermits(consumer, count, options)
  }

  /** The session by which a rows topic is written; undefined where another process holds its permit. */
  turnsOf(rowsTopic: string): SessionTurns | undefined {
    return this.held.get(partitionFor(Buffer.from(rowsTopic), this.count))
  }

  /** The permits that are held, in ascending order. */
  get all(): readonly (readonly [permit: number, turns: SessionTurns])[] {
    return [...this.held].sort(([a], [b]) => a - b)
  }

  /** Learns what the group gives and takes, without waiting. Every topology of the process calls it, time and again. */
  step(): Promise<void> {
    this.stepping ??= this.stepAlone().finally(() => {
      this.stepping = undefined
    })
    return this.stepping
  }

  private async stepAlone(): Promise<void> {
    const { assigned, revoked, lost } = await this.consumer.poll(1, 0)
    const now = this.options.clock.now()
    for (const at of lost) this.end(at, now)
    for (const at of revoked) this.end(at, now + LET_GO_WITHIN)
    for (const { partition } of assigned) {
      this.held.set(partition, new SessionTurns(() => this.options.clock.now()))
      this.version++
    }
    for (const { partition } of assigned) {
      this.options.logger.info(
        `Holds permit ${partition} of ${this.count} for a session in ${this.options.warehouse.name}.`,
      )
    }
    if (assigned.length > 0) await this.limit(false)
    for (const permit of [...this.leaving]) this.letGo(permit, now)
    for (const [permit, turns] of this.held) this.watch(permit, turns, now)
  }

  /** Says once of each slow work that others wait for it. */
  private watch(permit: number, turns: SessionTurns, now: number): void {
    const { workingSince } = turns
    if (workingSince === undefined || now - workingSince < SLOW || this.slow.get(turns) === workingSince) return
    this.slow.set(turns, workingSince)
    this.options.logger.warn(
      `${this.options.warehouse.name} has been at one piece of work for ${SLOW / 1_000} seconds. The tables of permit ${permit} wait for it; their rows are kept.`,
    )
  }

  private end(at: TopicPartition, deadline: number): void {
    const turns = this.held.get(at.partition)
    if (turns === undefined) return
    turns.end()
    this.held.delete(at.partition)
    this.slow.delete(turns)
    this.version++
    this.leaving.add({ at, turns, deadline })
  }

  /** Closes the session of a permit that is asked back, once nothing is under way or its time is over, and then lets it go. */
  private letGo(permit: Leaving, now: number): void {
    const { at, turns, deadline, closing } = permit
    if (closing !== undefined) {
      if (!closing.settled) return
      this.leaving.delete(permit)
      this.consumer.release([at])
    } else if (turns.idle || now >= deadline) {
      permit.closing = new Attempt(this.limit(!turns.idle))
    }
  }

  /** Lets the warehouse have a session for each permit, but for those whose session is closed now. */
  private async limit(atOnce: boolean): Promise<void> {
    const { sessions } = this.options.warehouse
    const closing = [...this.leaving].filter(({ closing, turns, deadline }) => {
      return closing === undefined && !turns.idle && this.options.clock.now() < deadline
    })
    try {
      await sessions?.allow?.(this.held.size + closing.length, atOnce)
    } catch (thrown) {
      this.options.logger.warn(messageOf(thrown))
    }
  }

  /** Closes all sessions and leaves the group. Nothing may be under way any more; what is fails. */
  async close(): Promise<void> {
    for (const turns of this.held.values()) turns.end()
    this.held.clear()
    this.version++
    await this.stepping?.catch(() => undefined)
    await this.options.warehouse.sessions?.allow?.(0, true)
    await this.consumer.close()
  }
}
