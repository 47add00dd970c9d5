import type { Client, LibrdKafkaError } from 'node-rdkafka'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { Clock } from '../../ports/clock.js'
import { LogError } from '../../ports/log.js'
import { type ConnectionFailure, connectionFailure } from './connection-failure.js'
import { CODE, isKafkaFailure, isTransient, type KafkaFailure, logError } from './kafka-error.js'
import type { OauthTokens } from './oauth-tokens.js'
import type { PackedReader } from './packed-reader.js'
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
  /** Where clients show tokens instead of a password. */
  readonly tokens?: OauthTokens
  readonly clock: Clock
  readonly logger: KafkaLogger
  /** Absent: records are read by node-rdkafka's `consume(n)`. */
  readonly packedReader?: PackedReader
}

type Callback<T> = (failure: LibrdKafkaError | null | undefined, value: T) => void

/** How long a call that fails for the time being is tried again, in ms. */
const RETRY_FOR_MS = 60_000
const CONNECT_MS = 10_000
const RETRY_EVERY_MS = 100
const FATAL_REASON_MS = 1_000
/** A failed connection explains calls that fail up to this long behind it: librdkafka repeats itself every 30 s. */
const RECENT_MS = 60_000
const UNREACHED = new Set<number>([CODE.transport, CODE.allBrokersDown, CODE.timedOut, CODE.timedOutQueue])

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
  private lastError = ''
  /** Why a connection failed of late, and since when that is so. */
  private disconnection: (ConnectionFailure & { readonly at: number }) | undefined
  /** Called when a connection fails for good, while the client connects. */
  private refused: ((thrown: unknown) => void) | undefined
  private unfollow: (() => void) | undefined
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
      if (fac === 'FAIL') this.connectionFailed(message)
      this.onLog?.(fac, message)
      logger.debug(`${context.name}: ${this.clean(message)}`)
    })
  }

  /**
   * Makes a client and connects it.
   * @throws MillraceError INVALID_OPTION for a setting that librdkafka refuses; LogError at once when a broker refuses
   * the credentials or shows a certificate that is not trusted, and when no broker answers within 10 seconds.
   */
  static async connect<C extends Client<never>>(context: KafkaContext, make: () => C): Promise<KafkaClient<C>> {
    const client = new KafkaClient(context, made(context, make))
    try {
      await client.authenticate()
      const refused = new Promise<never>((_, reject) => {
        client.refused = reject
      })
      const connected = client.attempt<unknown>(done => client.native.connect({ timeout: CONNECT_MS }, done))
      await Promise.race([connected, refused])
    } catch (thrown) {
      // Not awaited: the native call goes on until its timeout, and the client must live as long.
      void client.close()
      throw client.connectError(thrown)
    } finally {
      client.refused = undefined
    }
    return client
  }

  /** Gives the client its token, and each one that follows. */
  private async authenticate(): Promise<void> {
    const { tokens, logger, name } = this.context
    if (!tokens) return
    this.native.setOauthBearerToken(await tokens.current())
    this.unfollow = tokens.follow(value => {
      try {
        this.native.setOauthBearerToken(value)
      } catch (thrown) {
        logger.warn(`${name}: a client refuses its new token: ${this.clean(messageOf(thrown))}`)
      }
    })
  }

  private connectionFailed(line: string): void {
    const { clock, logger, name, settings } = this.context
    const failure = connectionFailure(this.clean(line), settings)
    this.disconnection = { ...failure, at: clock.now() }
    if (!failure.lasting) return
    if (this.refused) this.refused(this.connectError(undefined))
    else logger.warn(`${name}: ${sentence(failure)}`)
  }

  private connectError(thrown: unknown): unknown {
    if (thrown !== undefined && !isKafkaFailure(thrown)) return thrown
    const { name } = this.context
    if (this.disconnection) {
      const refused = this.disconnection.lasting
      const message = `Connecting to ${name} failed: ${sentence(this.disconnection)}`
      return new LogError('fatal', message, { cause: thrown, refused })
    }
    const failure = this.lastError === '' ? thrown : { code: CODE.transport, message: this.lastError }
    return isKafkaFailure(failure) ? logError(name, 'Connecting', failure, text => this.clean(text)) : failure
  }

  get open(): boolean {
    return this.closing === undefined && this.native.isConnected()
  }

  clean(text: string): string {
    const clean = redact(text, this.context.settings)
    return this.context.tokens?.redact(clean) ?? clean
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
        const passes = isKafkaFailure(thrown) && (isTransient(thrown) || this.tokenRefused(thrown))
        const again = passes && !thrown.isFatal && !thrown.isTxnRequiresAbort
        if (!again || clock.now() > deadline || this.closing) throw this.failed(doing, thrown)
        await clock.sleep(RETRY_EVERY_MS)
      }
    }
  }

  /** Whether a token was refused: most likely it expired, and its source is being asked for the next one. */
  tokenRefused(failure: KafkaFailure): boolean {
    return failure.code === CODE.authentication && this.context.tokens !== undefined
  }

  /** Runs one native call and rejects with what the driver says. */
  attempt<T>(start: (done: Callback<T>) => void): Promise<T> {
    if (this.closing) return Promise.reject({ code: CODE.state, message: 'the client is closed' })
    return this.during(
      new Promise<T>((resolve, reject) => start((failure, value) => (failure ? reject(failure) : resolve(value)))),
    )
  }

  /** Runs a native call that answers at once. @throws KafkaFailure when the client is closed. */
  atOnce<T>(call: (native: C) => T): T {
    if (!this.open) throw { code: CODE.state, message: 'the client is closed' }
    return call(this.native)
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

  /** The error to throw for what the driver says; where it could not reach a broker, with the reason. */
  failed(doing: string, thrown: unknown): unknown {
    if (!isKafkaFailure(thrown)) return thrown
    const { clock, name } = this.context
    const error = logError(name, doing, thrown, text => this.clean(text))
    const fenced = error.code === 'LOG_FENCED'
    // A new process asks for a new token.
    if (this.tokenRefused(thrown)) return new LogError(error.action, error.message, { cause: thrown })
    const recent = this.disconnection && clock.now() - this.disconnection.at < RECENT_MS
    if (!recent || !this.disconnection || !UNREACHED.has(thrown.code)) return error
    const message = `${error.message} The last connection failed: ${sentence(this.disconnection)}`
    const refused = this.disconnection.lasting && this.context.tokens === undefined
    return new LogError(error.action, message, { cause: thrown, fenced, refused })
  }

  close(): Promise<void> {
    this.closing ??= this.disconnect()
    return this.closing
  }

  private async disconnect(): Promise<void> {
    this.unfollow?.()
    await Promise.allSettled(this.calls)
    if (this.native.isConnected()) await new Promise<void>(resolve => this.native.disconnect(() => resolve()))
  }
}

function sentence({ reason, advice }: ConnectionFailure): string {
  return `${reason}.${advice === '' ? '' : ` ${advice}`}`
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
