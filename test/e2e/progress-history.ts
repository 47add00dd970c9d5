import { keyBytesAt, valueBytesAt } from '../../src/model/record-batch.js'
import type { Log } from '../../src/ports/log.js'
import { HEADER_BYTES } from '../../src/runtime/internal-value.js'
import type { TaskProgress } from '../../src/runtime/progress.js'

const TASK = 'task '

/** A commit of one task, as the progress topic has it. */
export interface TaskCommit {
  readonly task: string
  /** When its worker began the commit, in ms since 1970. */
  readonly time: number
  readonly nextOffset: number
}

/** Reads a group's progress topic, each record once, however often it is asked. */
export class ProgressHistory {
  /** What each task committed last, by its name. */
  readonly tasks = new Map<string, TaskProgress>()
  readonly commits: TaskCommit[] = []
  private next = 0
  private reading: Promise<void> = Promise.resolve()

  constructor(
    private readonly log: Log,
    private readonly topic: string,
  ) {}

  /** Reads up to the topic's end. */
  update(): Promise<void> {
    const turn = this.reading.then(() => this.read())
    this.reading = turn.catch(() => undefined)
    return turn
  }

  private async read(): Promise<void> {
    const { topic } = this
    if (this.next === 0 && !(await this.log.describeTopics([topic])).has(topic)) return
    const { high } = await this.log.watermarks({ topic, partition: 0 })
    for await (const batch of this.log.read({ topic, partition: 0 }, this.next, high)) {
      for (let i = 0; i < batch.count; i++) {
        const key = keyBytesAt(batch, i)?.toString() ?? ''
        const value = valueBytesAt(batch, i)
        if (value === null || !key.startsWith(TASK)) continue
        const task = key.slice(TASK.length)
        const progress: TaskProgress = JSON.parse(value.toString('utf8', HEADER_BYTES))
        this.tasks.set(task, progress)
        this.commits.push({ task, time: batch.timestamps[i] as number, nextOffset: progress.nextOffset })
      }
      if (batch.count > 0) this.next = (batch.offsets[batch.count - 1] as number) + 1
    }
    this.next = Math.max(this.next, high)
  }
}
