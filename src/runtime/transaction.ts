import type { Clock } from '../ports/clock.js'
import type { LogConsumer, LogProducer } from '../ports/log.js'
import type { StoreWrite } from '../ports/store.js'
import type { TopologyProgram } from './compile-topology.js'
import { type CatalogueEntry, sendCatalogueEntry, sendTaskProgress } from './progress.js'
import type { RepartitionWriter } from './repartition-writer.js'
import type { SinkSet } from './sink-set.js'
import type { Task } from './task.js'
import type { TaskSet } from './task-set.js'

/** A deletion that a changelog is still to be told. */
interface Deletion {
  readonly changelog: string
  readonly partition: number
  readonly key: Buffer
}

/** The writers of all repartition topics of a process. */
export function writersOf(program: TopologyProgram): readonly RepartitionWriter[] {
  return program.subs.flatMap(sub => (sub.kind === 'processing' ? sub.writers : []))
}

/**
 * What a process commits at once: the work of all its tasks since the last commit (DESIGN section 5). At least once
 * there is no transaction in the log, and the same order is kept by waiting for acknowledgements.
 */
export class Transaction {
  private open = false
  private readonly writers: readonly RepartitionWriter[]

  constructor(
    private readonly producer: LogProducer,
    private readonly consumer: LogConsumer,
    private readonly tasks: TaskSet,
    private readonly sinks: SinkSet,
    private readonly program: TopologyProgram,
    private readonly clock: Clock,
    private readonly exactlyOnce: boolean,
    private readonly cacheBytes: number,
  ) {
    this.writers = writersOf(program)
  }

  get isOpen(): boolean {
    return this.open
  }

  async begin(): Promise<void> {
    if (!this.exactlyOnce || this.open) return
    await this.producer.begin()
    this.open = true
  }

  /** Gives up what was sent and what combiners hold. */
  async abort(): Promise<void> {
    for (const writer of this.writers) writer.clear()
    if (!this.open) return
    await this.producer.abort()
    this.open = false
  }

  /**
   * Commits all tasks together, in the order of DESIGN section 5. Stores of tasks that are given up next (`leaving`)
   * note how much of their changelogs they hold; that is looked up first, since the commit proves that nobody else
   * wrote before it. `catalogue` holds the schemas that the progress topic has, and gets those that it lacked.
   */
  async commit(leaving: readonly Task[], catalogue: Map<string, CatalogueEntry>): Promise<void> {
    const now = this.clock.now()
    for (const task of leaving) await this.tasks.notePosition(task, true)
    const tasks = this.tasks.all
    await this.begin()
    for (const task of tasks) await task.closeIdle(now)
    for (const task of tasks) task.emitUpdates()
    for (const sink of this.sinks.all) sink.sendDeadLetters()
    const deletions: Deletion[] = []
    const writes = this.sendChangelogs(tasks, now, deletions)
    for (const writer of this.writers) writer.flush(now)
    if (!this.exactlyOnce) await this.producer.flush()
    this.sendProgress(tasks, catalogue, now)
    const offsets = tasks.map(({ program, partition, nextOffset }) => ({
      topic: program.topic,
      partition,
      offset: nextOffset,
    }))
    if (this.exactlyOnce) {
      if (offsets.length > 0) await this.producer.sendOffsets(offsets, this.consumer)
      await this.producer.commit()
      this.open = false
    } else {
      await this.producer.flush()
      // Only now: what is read again after a crash has to find the windows that it was in.
      for (const { changelog, partition, key } of deletions) this.producer.send(changelog, partition, key, null, now)
      await this.producer.flush()
    }
    for (const [fingerprint, entry] of this.program.catalogue) catalogue.set(fingerprint, entry)
    for (const [task, changes] of writes) await this.tasks.write(task, changes, this.exactlyOnce)
    if (!this.exactlyOnce && offsets.length > 0) await this.consumer.commit(offsets)
    for (const task of leaving) await this.tasks.write(task, [], true)
    for (const task of tasks) task.committed(this.cacheBytes / tasks.length)
    this.sinks.committed()
    for (const task of writes.keys()) if (!leaving.includes(task)) await this.tasks.notePosition(task)
  }

  /** Sends what changed in the stores. At least once, what is deleted goes into `deletions` instead. */
  private sendChangelogs(tasks: readonly Task[], now: number, deletions: Deletion[]): Map<Task, StoreWrite[]> {
    const writes = new Map<Task, StoreWrite[]>()
    for (const task of tasks) {
      const { partition } = task
      const changes = task.changes(({ changelog }, key, value) => {
        if (value === null && !this.exactlyOnce) deletions.push({ changelog, partition, key })
        else this.producer.send(changelog, partition, key, value, now)
      })
      if (changes.length > 0) writes.set(task, changes)
    }
    return writes
  }

  private sendProgress(tasks: readonly Task[], known: ReadonlyMap<string, CatalogueEntry>, now: number): void {
    const { plan, catalogue } = this.program
    for (const [fingerprint, entry] of catalogue) {
      if (!known.has(fingerprint)) sendCatalogueEntry(this.producer, plan.progress, fingerprint, entry, now)
    }
    for (const task of tasks) {
      if (task.changed) sendTaskProgress(this.producer, plan.progress, task.name, task.progress(), now)
    }
  }
}
