import type { Client, LibrdKafkaError } from 'node-rdkafka'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { Clock } from '../../ports/clock.js'
import { CODE, isKafkaFailure, isTransient, type KafkaFailure, logError } from './kafka-error.js'
import { type KafkaSettings, redact } from './settings.js'

export type Driver = typeof import('node-rdkafka')

/** Takes one line a message. A pino logger is one. */
export interface KafkaLogger {
  debug(message: string): void
  warn(message: string): void
}

/** What all clients of one log share. */
export interface KafkaContext {
  readonly driver: Driver
  /** For messages. */
  readonly name: string
  readonly brokers: string
  readonly settings: KafkaSettings
  readonly clock: Clock
  readonly logger: KafkaLogger
}

type Callback<T> = (failure: LibrdKafkaError | null | undefined, value: T) => void

/** How long a call that fails for the time being is tried again, in ms. */
const RETRY_FOR_MS = 60_000
const CONNECT_MS = 10_000
const RETRY_EVERY_MS = 100
const FATAL_REASON_MS = 1_000

/** Log lines at librdkafka's start that say that a producer's setting means nothing to a consumer, and the reverse. */
const NOISE = new Set(['CONFWARN'])

/**
 * A native client and the calls under way on it. The native side must not be disconnected while it works for a call
 * (it crashes the process), so `close` waits for them and `call` refuses from then on.
 */
export class KafkaClient<C extends Client<never>> {
  private readonly calls = new Set<Promise<unknown>>()
  private closing: Promise<void> | undefined
  /** The last error that the client reported outside of any call. */
  lastError = ''
  /** Why the client is of no use any more, once it said so. */
  private fatal = ''
  /** Called with each log line: facility and text. */
  onLog: ((facility: string, message: string) => void) | undefined

  private constructor(
    readonly context: KafkaContext,
    readonly native: C,
  ) {
    const { logger } = context
    const events: NodeJS.EventEmitter = native
    events.on('event.error', (failure: KafkaFailure) => {
      this.lastError = this.clean(failure.message)
      logger.debug(`${context.name}: ${this.lastError}`)
    })
    events.on('event.log', ({ fac, message }: { fac: string; message: string }) => {
      if (NOISE.has(fac)) return
      if (fac === 'FATAL') this.fatal = this.clean(message)
      this.onLog?.(fac, message)
      logger.debug(`${context.name}: ${this.clean(message)}`)
    })
  }

  /**
   * Makes a client and connects it.
   * @throws MillraceError INVALID_OPTION for a setting that librdkafka refuses; LogError when no broker answers within
   * 10 seconds.
   */
  static async connect<C extends Client<never>>(context: KafkaContext, make: () => C): Promise<KafkaClient<C>> {
    const client = new KafkaClient(context, made(context, make))
    const { native } = client
    try {
      await client.call<unknown>('Connecting', done => native.connect({ timeout: CONNECT_MS }, done))
    } catch (thrown) {
      if (client.lastError === '') throw thrown
      const failure = { code: CODE.transport, message: client.lastError }
      throw logError(context.name, 'Connecting', failure, text => client.clean(text))
    }
    return client
  }

  get open(): boolean {
    return this.closing === undefined && this.native.isConnected()
  }

  clean(text: string): string {
    return redact(text, this.context.settings)
  }

  /** Runs one native call. @throws LogError */
  async call<T>(doing: string, start: (done: Callback<T>) => void): Promise<T> {
    try {
      return await this.attempt(start)
    } catch (thrown) {
      throw this.failed(doing, thrown)
    }
  }

  /** Runs a native call again while it fails for the time being. @throws LogError */
  async retry<T>(doing: string, start: (done: Callback<T>) => void, forMs = RETRY_FOR_MS): Promise<T> {
    const { clock } = this.context
    const deadline = clock.now() + forMs
    for (;;) {
      try {
        return await this.attempt(start)
      } catch (thrown) {
        const again = isKafkaFailure(thrown) && isTransient(thrown) && !thrown.isFatal && !thrown.isTxnRequiresAbort
        if (!again || clock.now() > deadline || this.closing) throw this.failed(doing, thrown)
        await clock.sleep(RETRY_EVERY_MS)
      }
    }
  }

  /** Runs one native call and rejects with what the driver says. */
  attempt<T>(start: (done: Callback<T>) => void): Promise<T> {
    if (this.closing) return Promise.reject({ code: CODE.state, message: 'the client is closed' })
    return this.during(
      new Promise<T>((resolve, reject) => start((failure, value) => (failure ? reject(failure) : resolve(value)))),
    )
  }

  /** Keeps the client from being disconnected before `call` is done. */
  during<T>(call: Promise<T>): Promise<T> {
    this.calls.add(call)
    const done = () => this.calls.delete(call)
    call.then(done, done)
    return call
  }

  /** What is behind a fatal error: calls say only that there was one, and the reason comes with the log, a moment later. */
  async fatalReason(): Promise<string> {
    for (let waited = 0; this.fatal === '' && waited < FATAL_REASON_MS; waited += 10) await this.context.clock.sleep(10)
    return this.fatal
  }

  failed(doing: string, thrown: unknown): unknown {
    return isKafkaFailure(thrown) ? logError(this.context.name, doing, thrown, text => this.clean(text)) : thrown
  }

  close(): Promise<void> {
    this.closing ??= this.disconnect()
    return this.closing
  }

  private async disconnect(): Promise<void> {
    await Promise.allSettled(this.calls)
    if (this.native.isConnected()) await new Promise<void>(resolve => this.native.disconnect(() => resolve()))
  }
}

function made<C>(context: KafkaContext, make: () => C): C {
  try {
    return make()
  } catch (thrown) {
    const reason = redact(messageOf(thrown), context.settings)
    throw new MillraceError(
      'INVALID_OPTION',
      `librdkafka refuses the Kafka settings: ${reason}. Its CONFIGURATION.md names them all.`,
      { cause: thrown },
    )
  }
}
