import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError, messageOf } from '../model/errors.js'

/** Where a schema registry is, and how to be let in. */
export interface RegistryAddress {
  /** Roots of the Confluent API of one or several instances, without user and password. Where one does not answer, the next is asked. */
  readonly urls: readonly string[]
  /** The header `Authorization`; asked for before each request, so that renewed secrets are used. */
  readonly authorization?: () => string | undefined
  /** PEM texts: whom to trust instead of the system's authorities, and the client's certificate. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly passphrase?: string }
  /** How long one instance may take for an answer, and all of them may be asked again, in ms; default 5,000. */
  readonly timeout?: number
}

type Api = typeof import('@kafkajs/confluent-schema-registry/dist/api/index.js')

/** The package's REST client: the paths of the Confluent API. */
type Client = ReturnType<Api['default']>

/** What every request takes besides its own parameters. */
interface Common {
  readonly signal: AbortSignal
  readonly headers: Readonly<Record<string, string>>
}

type Call = (client: Client, common: Common) => Promise<unknown>

/** An answer of the registry that is none of the successful ones. */
export interface Refusal {
  readonly status: number
  /** What the registry says; empty where it says nothing that is meant to be read. */
  readonly reason: string
}

export type Answer = { readonly data: Readonly<Record<string, unknown>> } | { readonly refused: Refusal }

const CLIENT_ID = 'millrace'
const TIMEOUT = 5_000
/** How often all instances are asked before it is given up, and the pause after the first round, in ms. */
const ROUNDS = 3
const PAUSE = 200

/**
 * Requests to a schema registry, with a time limit, a few retries and fail-over. What a registry refuses is an answer.
 * It goes through the REST client inside @kafkajs/confluent-schema-registry: the class that the package exports sets the
 * compatibility level of the subjects it registers under, and waits for ever for a registry that hangs.
 */
export class RegistryRequests {
  private clients: readonly Client[] | undefined
  /** Index of the instance that answered last. */
  private current = 0

  constructor(private readonly address: RegistryAddress) {}

  private get timeout(): number {
    return this.address.timeout ?? TIMEOUT
  }

  /** For messages. */
  get name(): string {
    return this.address.urls.join(',')
  }

  /**
   * Asks one instance after the other until one answers.
   * @throws MillraceError REGISTRY when none does; REGISTRY_REFUSED when one does not let this process in.
   */
  async ask(call: Call): Promise<Answer> {
    this.clients ??= openClients(this.address)
    const { clients } = this
    const deadline = performance.now() + this.timeout
    let failure: unknown
    let index = this.current
    for (let attempt = 0; attempt < ROUNDS * clients.length; attempt++) {
      if (attempt >= clients.length && performance.now() > deadline) break
      if (attempt > 0 && attempt % clients.length === 0) await sleep(PAUSE * 2 ** (attempt / clients.length - 1))
      try {
        const answer = await this.once(clients[index] as Client, call)
        this.current = index
        return this.judged(answer)
      } catch (thrown) {
        if (thrown instanceof MillraceError) throw thrown
        failure = thrown
        index = (index + 1) % clients.length
      }
    }
    throw new MillraceError(
      'REGISTRY',
      `The schema registry ${this.name} does not answer: ${messageOf(failure).replace(/\.$/, '')}. Is it running, and is the address right?`,
      { cause: failure },
    )
  }

  /** Throws where the registry does not let anybody in. */
  private judged(answer: Answer): Answer {
    if (!('refused' in answer)) return answer
    const { status, reason } = answer.refused
    if (status !== 401 && status !== 403) return answer
    throw new MillraceError(
      'REGISTRY_REFUSED',
      `The schema registry ${this.name} answers ${status}${reason && ` (${reason})`}: ${
        this.address.authorization?.() === undefined
          ? 'it wants to know who asks, and no user, password or token is set'
          : 'it does not accept the user, password or token, or they lack the right to do this'
      }.`,
    )
  }

  /** @throws Error when there is no answer, or one that may be another a moment later. */
  private async once(client: Client, call: Call): Promise<Answer> {
    const authorization = this.address.authorization?.()
    const abort = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${this.timeout} ms`))
        abort.abort()
      }, this.timeout)
    })
    try {
      // The client does not notice a connection that ends in the middle of an answer; the time limit does.
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      const response = await Promise.race([call(client, { signal: abort.signal, headers }), late])
      return { data: dataOf(response) }
    } catch (thrown) {
      return { refused: refusalOf(thrown) }
    } finally {
      clearTimeout(timer)
    }
  }
}

function openClients({ urls, tls }: RegistryAddress): readonly Client[] {
  // Loaded here, so that nobody loads it who has no registry; by require, since import() of a CommonJS module with a
  // default export differs between Node and bundlers.
  const api: Api = createRequire(import.meta.url)('@kafkajs/confluent-schema-registry/dist/api/index.js')
  // Requests are rare: a connection that is kept would be found closed, and would keep the process from ending.
  const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false, ...tls }) }
  return urls.map(host =>
    api.default({ host, clientId: CLIENT_ID, agent: host.startsWith('https:') ? agents.https : agents.http }),
  )
}

function dataOf(response: unknown): Readonly<Record<string, unknown>> {
  const data: unknown = (response as { data(): unknown }).data()
  if (typeof data === 'object' && data !== null) return data as Readonly<Record<string, unknown>>
  throw new Error('the answer is no JSON')
}

/**
 * The refusal behind an error of the package's client. A network error comes as status 400, and with a text where the
 * registry's JSON would be.
 * @throws Error where the registry did not answer, or may answer otherwise a moment later.
 */
function refusalOf(thrown: unknown): Refusal {
  if (!(thrown instanceof Error) || !('status' in thrown) || typeof thrown.status !== 'number') throw thrown
  const { status } = thrown
  const message = thrown.message.replace(`${CLIENT_ID} - `, '')
  const wordless = message.startsWith('Error, status ')
  if (status === 408 || status === 429 || status >= 500 || (status === 400 && wordless)) {
    const reason = wordless ? message.replace(/^Error, status 400: /, '').slice(0, 200) : `${status}, ${message}`
    throw new Error(reason, { cause: thrown })
  }
  return { status, reason: wordless ? '' : message }
}
