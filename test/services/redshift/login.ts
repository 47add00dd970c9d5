import { connect, type Socket } from 'node:net'
import type { ClientMessages } from './client-messages.js'
import type { RedshiftFaults } from './faults.js'
import { RedshiftError } from './redshift-error.js'
import { Upstream } from './upstream.js'
import { encode, textAt, texts, type WireMessage } from './wire.js'

export interface LoginOptions {
  /** URL of PostgreSQL. */
  readonly postgres: string
  readonly database: string
  readonly authenticate?: (user: string, password: string) => boolean
  readonly faults: RedshiftFaults
  /** As many sessions are open as may be. */
  readonly isFull: () => boolean
}

/** First words of a client: https://www.postgresql.org/docs/15/protocol-message-formats.html */
const TLS_REQUEST = 80_877_103
const CANCEL_REQUEST = 80_877_102

/**
 * A client's way into a session: no TLS, a password where one is wanted, and PostgreSQL's own user behind. The answer is
 * undefined where there is no session.
 */
export async function login(
  client: Socket,
  messages: ClientMessages,
  options: LoginOptions,
): Promise<Upstream | undefined> {
  const { hostname, port, username } = new URL(options.postgres)
  const startup = await firstMessage(client, messages)
  if (!startup) return undefined
  if (startup.body.readInt32BE(0) === CANCEL_REQUEST) {
    connect(Number(port), hostname)
      .on('error', () => undefined)
      .end(encode(startup))
    return undefined
  }
  const refusal = await refused(client, messages, startup, options)
  if (refusal === 'cut') return undefined
  if (refusal) {
    client.write(encode(refusal.response()))
    return undefined
  }
  const upstream = new Upstream(hostname, Number(port))
  const parameters = parametersOf(startup)
  parameters.set('user', username)
  parameters.set('database', options.database)
  const version = Buffer.alloc(4)
  version.writeInt32BE(startup.body.readInt32BE(0))
  upstream.send({ type: '', body: Buffer.concat([version, texts(...[...parameters].flat(), '')]) })
  for (;;) {
    const message = await upstream.next()
    client.write(encode(message.type === 'S' ? asRedshift(message) : message))
    if (message.type === 'E') return undefined
    if (message.type === 'Z') return upstream
  }
}

async function firstMessage(client: Socket, messages: ClientMessages): Promise<WireMessage | undefined> {
  for (;;) {
    const message = await messages.next()
    if (message?.body.readInt32BE(0) !== TLS_REQUEST) return message
    messages.expectStartup()
    client.write('N')
  }
}

async function refused(
  client: Socket,
  messages: ClientMessages,
  startup: WireMessage,
  { faults, isFull, authenticate }: LoginOptions,
): Promise<RedshiftError | 'cut' | undefined> {
  const fault = faults.atConnect()
  if (fault?.kind === 'refuse') return 'cut'
  if (authenticate) {
    const user = parametersOf(startup).get('user') ?? ''
    client.write(encode({ type: 'R', body: Buffer.from([0, 0, 0, 3]) }))
    const password = await messages.next()
    if (password === undefined) return 'cut'
    if (!authenticate(user, textAt(password.body, 0).text)) {
      return new RedshiftError('28000', `password authentication failed for user "${user}"`, undefined, 'FATAL')
    }
  }
  // https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html
  if (fault || isFull()) {
    return new RedshiftError('53300', 'connection limit "500" exceeded for non-bootstrap users', undefined, 'FATAL')
  }
  return undefined
}

function parametersOf({ body }: WireMessage): Map<string, string> {
  const parameters = new Map<string, string>()
  for (let at = 4; at < body.length && body[at] !== 0; ) {
    const name = textAt(body, at)
    const value = textAt(body, name.end)
    parameters.set(name.text, value.text)
    at = value.end
  }
  return parameters
}

/** Redshift says that it is PostgreSQL 8.0.2. */
function asRedshift(message: WireMessage): WireMessage {
  return textAt(message.body, 0).text === 'server_version'
    ? { type: 'S', body: texts('server_version', '8.0.2') }
    : message
}
