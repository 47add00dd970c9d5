import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, MillraceError, messageOf } from '../model/errors.js'
import { Backoff, type BackoffOptions } from './backoff.js'
import { mendable } from './mendable.js'
import type { FromProcess, ProcessFailure, ToProcess } from './process-messages.js'
import type { Heartbeat, ProcessStatus } from './process-status.js'

/** What was said before a process ended may arrive a moment after its end, in ms. */
const LAST_WORDS = 1_000

/** What the processes of a worker have in common. */
export interface ProcessOptions<Order> {
  /** The module that a process runs; it makes a {@link ParentLink}. */
  readonly module: URL
  /** Options of Node, such as `--max-old-space-size=512`. */
  readonly nodeOptions?: readonly string[]
  /** What the process of a slot has to do; it must survive `JSON.stringify`. */
  readonly order: (slot: number) => Order
  readonly backoff?: BackoffOptions
  readonly logger: { info(message: string): void; warn(message: string): void }
}

/** How a process ended. */
interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Why it could not be started. */
  readonly startError?: string
  /** What it said itself. */
  readonly failure: ProcessFailure | undefined
}

/** One slot of a worker: an operating-system process that is started again when it ends unexpectedly. */
export class SupervisedProcess<Order, Snapshot> {
  private readonly backoff: Backoff
  private child: ChildProcess | undefined
  private state: ProcessStatus['state'] = 'starting'
  private since = Date.now()
  private runningSince: number | undefined
  private heard: { readonly at: number; readonly heartbeat: Heartbeat } | undefined
  private restarts = 0
  private unanswered = 0
  private lastFailure: string | undefined
  private requests = 0
  private readonly answers = new Map<number, (snapshot: Snapshot) => void>()

  constructor(
    private readonly slot: number,
    private readonly options: ProcessOptions<Order>,
  ) {
    this.backoff = new Backoff(options.backoff)
  }

  get status(): ProcessStatus {
    return {
      process: this.slot,
      ...(this.child?.pid !== undefined && { pid: this.child.pid }),
      state: this.state,
      since: this.since,
      restarts: this.restarts,
      unanswered: this.unanswered,
      failures: this.backoff.failures,
      ...(this.heard && { heardAt: this.heard.at, heartbeat: this.heard.heartbeat }),
      ...(this.lastFailure !== undefined && { lastFailure: this.lastFailure }),
    }
  }

  /**
   * Keeps a process running until `stop` aborts, and lets it drain then. Resolves when it left with everything committed.
   * @throws MillraceError with the failure's own code, where a restart cannot mend it or the process could not drain;
   * PROCESS when it crashed while it drained.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { logger } = this.options
    while (!stop.aborted) {
      this.enter('starting')
      const ending = await this.untilEnd(stop)
      const { code, failure } = ending
      const clean = code === 0 && failure === undefined
      if (stop.aborted && clean) break
      const sentence = sentenceOf(ending)
      this.lastFailure = sentence
      if (stop.aborted || !mendable(failure?.code)) {
        this.enter('stopped')
        throw new MillraceError(
          (failure?.code as ErrorCode | undefined) ?? 'PROCESS',
          failure?.message ?? this.named(sentence),
        )
      }
      const wait = this.backoff.failed(this.runningSince === undefined ? 0 : Date.now() - this.runningSince)
      this.enter('restarting')
      logger.warn(`${this.named(sentence)} It is started again in ${wait / 1_000} s.`)
      await sleep(wait, undefined, { signal: stop }).catch(() => undefined)
      if (!stop.aborted) this.restarts++
    }
    this.enter('stopped')
  }

  /** A process is there. */
  get alive(): boolean {
    return this.child !== undefined
  }

  /** Ends the process at once. */
  kill(): void {
    this.child?.kill('SIGKILL')
  }

  /** Asks the process for its metrics; undefined where it does not answer within `withinMs`. */
  async snapshot(withinMs: number): Promise<Snapshot | undefined> {
    const request = this.requests++
    const answer = new Promise<Snapshot>(resolve => this.answers.set(request, resolve))
    this.send({ kind: 'metrics', request })
    const late = new AbortController()
    try {
      const snapshot = await Promise.race([answer, sleep(withinMs, undefined, { signal: late.signal })])
      if (snapshot === undefined) this.unanswered++
      return snapshot
    } finally {
      late.abort()
      this.answers.delete(request)
    }
  }

  /** Starts a process and waits for its end. */
  private async untilEnd(stop: AbortSignal): Promise<Ending> {
    const { module, nodeOptions = [], order } = this.options
    const child = fork(fileURLToPath(module), [], {
      execArgv: [...process.execArgv, ...nodeOptions],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.child = child
    let failure: ProcessFailure | undefined
    child.on('message', (message: FromProcess<Snapshot>) => {
      if (message.kind === 'failed') failure = message.failure
      else if (message.kind === 'heartbeat') this.beat(message.heartbeat)
      else this.answers.get(message.request)?.(message.snapshot)
    })
    const silent = new Promise(resolve => child.once('disconnect', resolve))
    const drain = () => this.send({ kind: 'drain' })
    stop.addEventListener('abort', drain)
    try {
      this.send({ kind: 'order', order: order(this.slot) })
      const end = await ended(child)
      await Promise.race([silent, sleep(LAST_WORDS)])
      return { ...end, failure }
    } finally {
      stop.removeEventListener('abort', drain)
      this.child = undefined
    }
  }

  private beat(heartbeat: Heartbeat): void {
    const now = Date.now()
    this.heard = { at: now, heartbeat }
    if (this.state !== 'starting' || heartbeat.topologies.some(({ health }) => health === undefined)) return
    this.state = 'running'
    this.runningSince = now
  }

  private enter(state: ProcessStatus['state']): void {
    this.state = state
    this.since = Date.now()
    this.runningSince = undefined
    this.heard = undefined
  }

  private send(message: ToProcess<Order>): void {
    // A process that is about to end takes no messages; its end says the rest.
    if (this.child?.connected) this.child.send(message, () => undefined)
  }

  private named(sentence: string): string {
    return `Process ${this.slot} ${sentence}`
  }
}

/** Waits for the end of a process. One that could not even be started ends, too. */
function ended(child: ChildProcess): Promise<Omit<Ending, 'failure'>> {
  return new Promise(resolve => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', thrown => {
      if (child.pid === undefined) resolve({ code: null, signal: null, startError: messageOf(thrown) })
    })
  })
}

function sentenceOf({ code, signal, startError, failure }: Ending): string {
  if (startError !== undefined) return `could not be started: ${startError}.`
  if (failure !== undefined)
    return `failed${failure.code === undefined ? '' : ` with ${failure.code}`}: ${failure.message}`
  return signal === null ? `ended by itself with exit code ${code}.` : `was ended by ${signal}.`
}
