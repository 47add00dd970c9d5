import { drainDeadline } from './drain-deadline.js'
import type { ProcessStatus, WorkerView } from './process-status.js'
import { type ProcessOptions, SupervisedProcess } from './supervised-process.js'

/** How long a process may take to answer with its metrics, in ms: it waits 2 seconds for its own sources. */
const SNAPSHOT_WITHIN = 4_000

export interface SupervisorOptions<Order> extends ProcessOptions<Order> {
  /** How many to run, at least 1. */
  readonly processes: number
  /** How long processes may take to commit and leave, in ms. */
  readonly drainTimeoutMs: number
}

/** The parent of a worker's processes. It loads nothing that they do, so that it answers while they are busy. */
export class Supervisor<Order, Snapshot> implements WorkerView<Snapshot> {
  private readonly slots: readonly SupervisedProcess<Order, Snapshot>[]

  constructor(private readonly options: SupervisorOptions<Order>) {
    this.slots = Array.from({ length: options.processes }, (_, slot) => new SupervisedProcess(slot, options))
  }

  processes(): readonly ProcessStatus[] {
    return this.slots.map(slot => slot.status)
  }

  async snapshots(): Promise<ReadonlyMap<number, Snapshot>> {
    const running = this.slots.map((slot, number) => ({ slot, number })).filter(({ slot }) => slot.alive)
    const answers = new Map<number, Snapshot>()
    const asked = running.map(async ({ slot, number }) => {
      const snapshot = await slot.snapshot(SNAPSHOT_WITHIN)
      if (snapshot !== undefined) answers.set(number, snapshot)
    })
    await Promise.all(asked)
    return answers
  }

  /**
   * Runs the processes until `stop` aborts, or until one of them fails in a way that a restart cannot mend; then lets all
   * drain. Whatever is still there at the end, or when this process exits, is killed.
   * @throws MillraceError with the code of the process that failed; DRAIN_TIMEOUT when not all had left in time.
   */
  async run(stop: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const draining = AbortSignal.any([stop, failed.signal])
    const kill = () => {
      for (const slot of this.slots) slot.kill()
    }
    let first: unknown
    const all = this.slots.map(slot =>
      slot.run(draining).catch(thrown => {
        first ??= thrown
        failed.abort()
      }),
    )
    const deadline = drainDeadline(draining, this.options.drainTimeoutMs, () => this.named())
    process.on('exit', kill)
    try {
      await Promise.race([Promise.all(all), deadline.passed])
    } catch (thrown) {
      first ??= thrown
    } finally {
      deadline.dispose()
      kill()
      process.off('exit', kill)
    }
    if (first !== undefined) throw first
  }

  /** Who is still there. */
  private named(): string {
    const left = this.processes().filter(({ state }) => state !== 'stopped')
    return left.map(({ process }) => `process ${process}`).join(', ')
  }
}
