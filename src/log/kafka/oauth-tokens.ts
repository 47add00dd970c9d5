import { MillraceError, messageOf } from '../../model/errors.js'
import type { Clock } from '../../ports/clock.js'

/** A token of SASL/OAUTHBEARER. */
export interface OauthToken {
  readonly value: string
  /** Ms since 1970. */
  readonly expiresAt: number
}

/** Where tokens of SASL/OAUTHBEARER come from. */
export interface TokenSource {
  /** For messages: `MSK IAM in eu-west-1`. */
  readonly name: string
  /** A new token. */
  token(): Promise<OauthToken>
}

/** A token is replaced after this part of its life: MSK's of 15 minutes leave 3 minutes for tries that fail. */
const RENEW_AFTER = 0.8
const LEAST_DELAY_MS = 100
const FIRST_TRIES = 3
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 30_000

/**
 * The token that all clients of a log use. The driver cannot ask for one when it needs it, so each client is given every
 * new token, and a client that is made later starts with the last one.
 */
export class OauthTokens {
  private token: OauthToken | undefined
  private asked: Promise<OauthToken> | undefined
  private timer: NodeJS.Timeout | undefined
  private readonly clients = new Set<(value: string) => void>()
  /** Tokens that may be in use, which messages must not show. */
  private readonly secrets: string[] = []
  private closed = false

  constructor(
    private readonly source: TokenSource,
    private readonly clock: Clock,
    private readonly logger: { warn(message: string): void; debug(message: string): void },
  ) {}

  /**
   * A token that has not expired. The first one is asked for here, a few times where that fails.
   * @throws MillraceError LOG where the source gives none.
   */
  async current(): Promise<string> {
    for (let tries = 1; ; tries++) {
      if (this.token && this.token.expiresAt > this.clock.now()) return this.token.value
      try {
        return (await this.renew()).value
      } catch (thrown) {
        if (tries < FIRST_TRIES) {
          await this.clock.sleep(FIRST_RETRY_MS)
          continue
        }
        throw new MillraceError(
          'LOG',
          `${this.source.name} gave no token for Kafka: ${messageOf(thrown)}. Check the credentials that it uses, and the way to it.`,
          { cause: thrown },
        )
      }
    }
  }

  /** Calls `give` with each new token from now on. Answers how to stop that. */
  follow(give: (value: string) => void): () => void {
    this.clients.add(give)
    return () => this.clients.delete(give)
  }

  /** `text` without tokens. */
  redact(text: string): string {
    return this.secrets.reduce((clean, value) => clean.replaceAll(value, '***'), text)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  /** Asks for a token once, however many wait for it, and hands it to all clients. */
  private renew(): Promise<OauthToken> {
    this.asked ??= this.source
      .token()
      .then(token => {
        this.accept(token)
        return token
      })
      .finally(() => {
        this.asked = undefined
      })
    return this.asked
  }

  private accept(token: OauthToken): void {
    const life = token.expiresAt - this.clock.now()
    if (!(life > 0)) throw new Error('the token has expired already: check the clock of this machine')
    this.secrets.splice(0, Math.max(0, this.secrets.length - 2))
    this.secrets.push(token.value)
    this.token = token
    for (const give of this.clients) give(token.value)
    this.logger.debug(`${this.source.name}: a token for ${Math.round(life / 1_000)} s.`)
    this.renewAfter(life * RENEW_AFTER, FIRST_RETRY_MS)
  }

  private renewAfter(delayMs: number, retryMs: number): void {
    clearTimeout(this.timer)
    if (this.closed) return
    this.timer = setTimeout(
      () => {
        this.renew().catch((thrown: unknown) => {
          const left = Math.round(((this.token?.expiresAt ?? 0) - this.clock.now()) / 1_000)
          this.logger.warn(
            `${this.source.name} gave no new token for Kafka: ${messageOf(thrown)}. ${left > 0 ? `The one in use is good for ${left} s` : 'The one in use has expired'}; trying again.`,
          )
          this.renewAfter(retryMs, Math.min(2 * retryMs, MAX_RETRY_MS))
        })
      },
      Math.max(delayMs, LEAST_DELAY_MS),
    ).unref()
  }
}
