import { MillraceError, messageOf } from '../model/errors.js'
import type { RecordBatch } from '../model/record-batch.js'
import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { LogConsumer } from '../ports/log.js'
import { Attempt } from './attempt.js'
import type { Rest, Task } from './task.js'

/** Waits between two tries to reach the registry, in ms; each is twice as long as the one before. */
const RETRY_AT_LEAST = 250
const RETRY_AT_MOST = 5_000
/** Turns of the microtask queue within which an answer comes at once. */
const AT_ONCE = 20
/** Between two warnings while the registry is out of reach, in ms. */
const WARN_EVERY = 30_000

/** The task of a partition, and what is left of the batch in which it met an unknown schema. */
interface Waiting {
  readonly task: Task
  rest: Rest
  /** Batches that were polled with it, behind it. */
  readonly later: RecordBatch[]
  /** The partition was read to its end behind the batch. */
  atEnd: boolean
}

/** A writer schema on its way. */
interface Fetch {
  readonly prepare: () => Promise<void>
  attempt: Attempt<void>
  failures: number
  retryAt: number
}

/**
 * Tasks that met a record of a writer schema that is still to be fetched. Their partitions are paused, and the others go on;
 * while the registry is out of reach no record is lost or set aside for it.
 */
export class SchemaWaits {
  private readonly waiting = new Map<string, Waiting>()
  /** Several partitions mostly wait for the same schema. */
  private readonly fetches = new Map<string, Fetch>()
  private failure: string | undefined
  private warnedAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly consumer: LogConsumer,
    private readonly clock: Clock,
    private readonly warn: (message: string) => void,
  ) {}

  get size(): number {
    return this.waiting.size
  }

  /** Why tasks wait, where that is more than a moment. */
  get reason(): string | undefined {
    return this.waiting.size > 0 ? this.failure : undefined
  }

  /** Stops reading the task's partition until the schema is there. */
  async add(task: Task, rest: Rest): Promise<void> {
    this.waiting.set(partitionId(rest.batch), { task, rest, later: [], atEnd: false })
    this.consumer.pause([placeOf(task)])
    const fetch = this.fetch(task, rest)
    // A registry in this process answers without waiting for anything: then the task goes on in the same turn.
    for (let i = 0; i < AT_ONCE && !fetch.attempt.settled; i++) await undefined
    if (this.ready) await this.advance()
  }

  private fetch({ program }: Task, { missing, prepare }: Rest): Fetch {
    const key = `${program.name} ${missing}`
    const known = this.fetches.get(key)
    if (known) return known
    const fetch = { prepare, attempt: new Attempt(prepare()), failures: 0, retryAt: 0 }
    this.fetches.set(key, fetch)
    return fetch
  }

  /** Keeps a batch of a partition that waits, which one poll may give several of; false where it does not wait. */
  keep(batch: RecordBatch): boolean {
    const waiting = this.waiting.get(partitionId(batch))
    waiting?.later.push(batch)
    return waiting !== undefined
  }

  /** Notes the end of a partition that waits; false where it does not. */
  reachedEnd(at: TopicPartition): boolean {
    const waiting = this.waiting.get(partitionId(at))
    if (waiting) waiting.atEnd = true
    return waiting !== undefined
  }

  /** Whether a task can go on. */
  get ready(): boolean {
    for (const { task, rest } of this.waiting.values()) if (this.arrived(this.fetch(task, rest))) return true
    return false
  }

  /** Lets tasks go on whose schemas are there. */
  async advance(): Promise<void> {
    const gone = new Set(this.fetches.values())
    for (const [id, waiting] of this.waiting) {
      const { task, rest, later } = waiting
      const fetch = this.fetch(task, rest)
      if (!this.arrived(fetch)) {
        gone.delete(fetch)
        continue
      }
      let next = await task.process(rest.batch, rest.from)
      while (next === undefined && later.length > 0) next = await task.process(later.shift() as RecordBatch)
      if (next !== undefined) {
        waiting.rest = next
        gone.delete(this.fetch(task, next))
        continue
      }
      this.waiting.delete(id)
      if (waiting.atEnd) task.reachedEnd()
      this.consumer.resume([placeOf(task)])
    }
    for (const [key, fetch] of this.fetches) if (gone.has(fetch)) this.fetches.delete(key)
  }

  /** Whether the schema is there; a fetch that failed is begun again when its time has come. */
  private arrived(fetch: Fetch): boolean {
    if (!fetch.attempt.settled) return false
    const now = this.clock.now()
    if (fetch.retryAt > 0) {
      if (now < fetch.retryAt) return false
      fetch.retryAt = 0
      fetch.attempt = new Attempt(fetch.prepare())
      return false
    }
    try {
      fetch.attempt.result()
      this.failure = undefined
      return true
    } catch (thrown) {
      // Anything but a registry out of reach is a fault that waiting does not mend.
      if (!(thrown instanceof MillraceError) || thrown.code !== 'REGISTRY') throw thrown
      fetch.retryAt = now + Math.min(RETRY_AT_MOST, RETRY_AT_LEAST * 2 ** fetch.failures++)
      this.failed(messageOf(thrown), now)
      return false
    }
  }

  private failed(message: string, now: number): void {
    this.failure = message
    if (now - this.warnedAt < WARN_EVERY) return
    this.warnedAt = now
    const places = [...this.waiting.keys()].join(', ')
    this.warn(`${message} ${places} wait for a writer schema; it is asked for again and again.`)
  }

  /** Forgets tasks that are given up; whoever takes their partitions reads the records again. */
  drop(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) if (this.waiting.delete(partitionId(at))) this.consumer.resume([at])
  }

  clear(): void {
    this.drop([...this.waiting.values()].map(({ task }) => placeOf(task)))
  }
}

function placeOf({ program, partition }: Task): TopicPartition {
  return { topic: program.topic, partition }
}
