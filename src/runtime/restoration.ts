import type { ChangelogTail } from './changelog.js'
import type { Task } from './task.js'

/** A task whose store is being brought up to the end of its changelogs, one batch at a time. */
export class Restoration {
  private readonly steps: AsyncGenerator<void>

  constructor(
    readonly task: Task,
    private readonly tails: readonly ChangelogTail[],
    private readonly now: () => number,
  ) {
    this.steps = this.run()
  }

  /** Changelog offsets read so far. */
  get done(): number {
    return this.tails.reduce((sum, tail) => sum + tail.done, 0)
  }

  /** Changelog offsets to read. */
  get total(): number {
    return this.tails.reduce((sum, tail) => sum + tail.total, 0)
  }

  /** Changelog records read so far. */
  get records(): number {
    return this.tails.reduce((sum, tail) => sum + tail.records, 0)
  }

  /** Goes on for a batch, or for the moment that the log lets it wait. True when the task can run. */
  async step(): Promise<boolean> {
    return (await this.steps.next()).done === true
  }

  private async *run(): AsyncGenerator<void> {
    for (const tail of this.tails) yield* tail.replay(this.now)
    await this.task.open()
  }

  /** Ends it where it stands. The store keeps what it has and knows how much that is. */
  async abandon(): Promise<void> {
    await this.steps.return(undefined)
    await this.task.store?.close()
  }
}
