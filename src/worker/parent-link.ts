import { messageOf } from '../model/errors.js'
import type { FromProcess, ToProcess } from './process-messages.js'
import type { Heartbeat } from './process-status.js'

/** How often a process reports, in ms. */
const HEARTBEAT_EVERY = 1_000

/** A process' end of the channel to the worker that started it. */
export class ParentLink<Order, Snapshot> {
  /** What to do: the worker's first message. */
  readonly order: Promise<Order>
  private readonly draining = new AbortController()
  private readonly left = new AbortController()
  private beating: NodeJS.Timeout | undefined
  private snapshot: (() => Promise<Snapshot>) | undefined

  constructor() {
    let ordered: (order: Order) => void = () => undefined
    this.order = new Promise(resolve => {
      ordered = resolve
    })
    process.on('message', (message: ToProcess<Order>) => {
      if (message.kind === 'order') ordered(message.order)
      else if (message.kind === 'drain') this.draining.abort()
      else void this.answer(message.request)
    })
    process.on('disconnect', () => {
      this.left.abort()
      this.draining.abort()
    })
    // A terminal signals the whole group, so that a second signal comes here too: it is the worker that decides.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.draining.abort())
  }

  /** Aborts when it is time to commit and to leave: the worker said so or is gone, or a signal came. */
  get drain(): AbortSignal {
    return this.draining.signal
  }

  /** Aborts when the worker is gone, so that nobody watches over this process any more. */
  get orphaned(): AbortSignal {
    return this.left.signal
  }

  /** Reports every second, from now on, and answers requests for metrics. */
  report(heartbeat: () => Heartbeat, snapshot: () => Promise<Snapshot>): void {
    const beat = () => this.send({ kind: 'heartbeat', heartbeat: heartbeat() })
    this.snapshot = snapshot
    this.beating = setInterval(beat, HEARTBEAT_EVERY)
    void beat()
  }

  /** Tells the worker why this process ends. Resolves when that is on its way. */
  async failed(thrown: unknown): Promise<void> {
    clearInterval(this.beating)
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined
    await this.send({ kind: 'failed', failure: { code, message: messageOf(thrown) } })
  }

  private async answer(request: number): Promise<void> {
    const snapshot = await this.snapshot?.().catch(() => undefined)
    if (snapshot !== undefined) await this.send({ kind: 'metrics', request, snapshot })
  }

  private send(message: FromProcess<Snapshot>): Promise<void> {
    return new Promise(resolve => {
      if (process.connected) process.send?.(message, undefined, {}, () => resolve())
      else resolve()
    })
  }
}
