import type { Log } from '../ports/log.js'
import { type Accounting, addAccounting, noAccounting } from './accounting.js'
import type { Task } from './task.js'

/** Figures of the tasks of a process. */
export interface ProcessStatus {
  readonly accounting: Accounting
  /** Records in source topics that were not read yet. */
  readonly lag: number
  readonly openWindows: number
  readonly flushedRows: number
  /** Records that arrived after their window closed, because their lane had been idle. */
  readonly lateAfterIdle: number
}

/** The figures of these tasks as of now. */
export async function statusOf(tasks: readonly Task[], flushedRows: number, log: Log): Promise<ProcessStatus> {
  const accounting = noAccounting()
  let lag = 0
  let openWindows = 0
  let lateAfterIdle = 0
  for (const task of tasks) {
    addAccounting(accounting, task.accounting)
    openWindows += task.openWindows
    lateAfterIdle += task.lateAfterIdle
    if (task.program.input.kind !== 'source') continue
    const { high } = await log.watermarks({ topic: task.program.topic, partition: task.partition })
    lag += Math.max(0, high - task.nextOffset)
  }
  return { accounting, lag, openWindows, flushedRows, lateAfterIdle }
}
