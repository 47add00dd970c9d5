import { join } from 'node:path'
import { MillraceError, messageOf } from '../model/errors.js'
import { partitionId, type TopicPartition } from '../model/topic-partition.js'
import type { Clock } from '../ports/clock.js'
import type { Log } from '../ports/log.js'
import type { Store, StoreEngine, StoreWrite } from '../ports/store.js'
import { ChangelogTail, positionWrite, readPosition } from './changelog.js'
import { DEFAULT_MEMORY, type ProcessMemory, storesProblem } from './memory-plan.js'
import { RepartitionTask } from './repartition-task.js'
import { Restoration } from './restoration.js'
import { TOMBSTONE_RETENTION } from './sink-task.js'
import { SourceTask } from './source-task.js'
import type { SubTopologyProgram } from './sub-topology-program.js'
import type { Task } from './task.js'
import type { TaskEnvironment } from './task-environment.js'

/** Longest time between two notes of a store's changelog position, in ms: the tail that a restart may replay. */
const POSITION_INTERVAL = 2_000

/** A changelog position that the next batch of a store notes. */
interface Position {
  readonly writes: readonly StoreWrite[]
  readonly at: number
}

/** The tasks of one process, with their stores. */
export class TaskSet {
  private readonly tasks = new Map<string, Task>()
  private readonly positions = new Map<Task, Position>()
  private warnedOfStores = 0

  constructor(
    private readonly log: Log,
    private readonly engine: StoreEngine,
    /** Folder of the group's stores. */
    private readonly directory: string,
    private readonly environment: TaskEnvironment,
    private readonly clock: Clock,
    private readonly memory: ProcessMemory = DEFAULT_MEMORY,
  ) {}

  get(id: string): Task | undefined {
    return this.tasks.get(id)
  }

  get all(): readonly Task[] {
    return [...this.tasks.values()]
  }

  get changed(): boolean {
    for (const task of this.tasks.values()) if (task.changed) return true
    return false
  }

  /** Makes a task that does not run yet: its store is to be brought up to the end of its changelogs. */
  async prepare(program: SubTopologyProgram, partition: number): Promise<Restoration> {
    const store = program.aggregates.size > 0 ? await this.openStore(program, partition) : undefined
    const { input } = program
    const task =
      input.kind === 'source'
        ? new SourceTask(program, input, partition, store, this.environment)
        : new RepartitionTask(program, input, partition, store, this.environment)
    const tails: ChangelogTail[] = []
    for (const { program: aggregate, windows } of task.tables) {
      tails.push(await ChangelogTail.of(this.log, { topic: aggregate.changelog, partition }, windows, store!))
    }
    return new Restoration(task, tails, () => this.clock.now())
  }

  /** Takes a restored task in. Its lane is spoken of from now on. */
  add(task: Task): void {
    for (const writer of task.program.writers) writer.markers.add(task)
    this.tasks.set(partitionId({ topic: task.program.topic, partition: task.partition }), task)
    const stores = this.all.filter(({ store }) => store !== undefined).length
    const problem = storesProblem(stores, this.memory)
    if (problem === undefined || stores <= this.warnedOfStores) return
    this.warnedOfStores = stores
    this.environment.warn(problem)
  }

  /** Opens a store. One that is damaged, stale, of another engine, or ahead of its changelog is wiped, to be restored. */
  private async openStore(program: SubTopologyProgram, partition: number): Promise<Store> {
    const directory = join(this.directory, program.name, String(partition))
    const anew = async (reason: string): Promise<Store> => {
      this.environment.warn(`${reason} The store in ${directory} is restored from its changelog.`)
      await this.engine.destroy(directory)
      return this.engine.open(directory)
    }
    let store: Store
    try {
      store = await this.engine.open(directory)
    } catch (thrown) {
      const wiped = thrown instanceof MillraceError && (thrown.code === 'STORE_ENGINE' || thrown.code === 'STORE')
      if (!wiped) throw thrown
      return anew(messageOf(thrown))
    }
    for (const { changelog } of program.aggregates.values()) {
      const position = await readPosition(store, changelog)
      if (position === undefined) continue
      const { high } = await this.log.watermarks({ topic: changelog, partition })
      const stale = this.clock.now() - position.at > TOMBSTONE_RETENTION
      if (position.offset <= high && !stale) continue
      await store.close()
      return anew(stale ? `Deletions that it missed may be gone from ${changelog}.` : `It is ahead of ${changelog}.`)
    }
    return store
  }

  /**
   * Writes a commit's changes into a task's store. `position`: with the changelog position that was looked up before the
   * commit, which proved that all up to there came from this task.
   */
  async write(task: Task, changes: readonly StoreWrite[], position: boolean): Promise<void> {
    const noted = position ? (this.positions.get(task)?.writes ?? []) : []
    if (changes.length + noted.length > 0) await task.store?.write([...changes, ...noted])
  }

  /** Looks up where the changelogs end, now that the store holds all of it, for the next write to note. */
  async notePosition(task: Task, force = false): Promise<void> {
    const now = this.clock.now()
    const noted = this.positions.get(task)
    if (!force && noted !== undefined && now - noted.at < POSITION_INTERVAL) return
    const writes: StoreWrite[] = []
    for (const { changelog } of task.program.aggregates.values()) {
      const { high } = await this.log.watermarks({ topic: changelog, partition: task.partition })
      writes.push(positionWrite(changelog, { offset: high, at: now }))
    }
    this.positions.set(task, { writes, at: now })
  }

  /** Closes tasks. What they did not commit is given up. */
  async drop(partitions: readonly TopicPartition[]): Promise<void> {
    for (const at of partitions) {
      const id = partitionId(at)
      const task = this.tasks.get(id)
      if (task === undefined) continue
      for (const writer of task.program.writers) writer.markers.remove(task)
      this.tasks.delete(id)
      this.positions.delete(task)
      await task.store?.close()
    }
  }

  async close(): Promise<void> {
    await this.drop(this.all.map(task => ({ topic: task.program.topic, partition: task.partition })))
  }
}
