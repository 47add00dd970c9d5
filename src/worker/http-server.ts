import type { FastifyError, FastifyInstance } from 'fastify'
import { MillraceError, messageOf } from '../model/errors.js'
import { type ListenAddress, shownAddress } from './listen-address.js'

/** Limits in ms and bytes: readers are probes and scrapers, whose requests are short and have no body. */
const CONNECTION_TIMEOUT = 30_000
const REQUEST_TIMEOUT = 10_000
const KEEP_ALIVE_TIMEOUT = 30_000
const MAX_HEADER_BYTES = 8_192
const MAX_BODY_BYTES = 1
const MAX_CONNECTIONS = 64

/** What is answered to one request. */
export interface Page {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** An HTTP server that runs. */
export interface HttpServer {
  /** `host:port`, with the port that was taken. */
  readonly address: string
  /** Ends open connections, too. */
  close(): Promise<void>
}

/**
 * Serves pages by path to GET and HEAD; other methods get 405, other paths 404, and a page that throws 500. fastify is
 * loaded here.
 * @throws MillraceError HTTP when the address cannot be listened on.
 */
export async function serveHttp(
  address: ListenAddress,
  pages: Readonly<Record<string, () => Page | Promise<Page>>>,
): Promise<HttpServer> {
  const { fastify } = await import('fastify')
  const server: FastifyInstance = fastify({
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT },
  })
  server.server.maxConnections = MAX_CONNECTIONS
  const text = (status: number, line: string): Page => ({
    status,
    contentType: 'text/plain; charset=utf-8',
    text: `${line}\n`,
  })
  for (const [path, page] of Object.entries(pages)) {
    server.get(path, async (_, reply) => {
      const { status, contentType, text: body } = await page()
      return reply.code(status).header('cache-control', 'no-store').type(contentType).send(body)
    })
  }
  server.setNotFoundHandler(async ({ method }, reply) => {
    const known = method === 'GET' || method === 'HEAD'
    const page = known
      ? text(404, 'There is no such page. GET / lists those there are.')
      : text(405, 'Only GET and HEAD are answered.')
    if (!known) reply.header('allow', 'GET, HEAD')
    return reply.code(page.status).type(page.contentType).send(page.text)
  })
  server.setErrorHandler(async (thrown: FastifyError, _, reply) => {
    const status = thrown.statusCode ?? 500
    const page = text(status, status < 500 ? thrown.message : `This page failed: ${thrown.message}`)
    return reply.code(page.status).type(page.contentType).send(page.text)
  })
  try {
    await server.listen(address)
  } catch (thrown) {
    await server.close()
    throw unusable(address, thrown)
  }
  const taken = server.server.address()
  const port = taken !== null && typeof taken === 'object' ? taken.port : address.port
  return {
    address: shownAddress({ host: address.host, port }),
    close: () => server.close(),
  }
}

function unusable(address: ListenAddress, thrown: unknown): MillraceError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  const reason = code === 'EADDRINUSE' ? 'another program listens there' : messageOf(thrown)
  return new MillraceError(
    'HTTP',
    `The address of --http ${shownAddress(address)} cannot be used: ${reason}. Give another one, port 0 for any free port, or --http off.`,
    { cause: thrown },
  )
}
