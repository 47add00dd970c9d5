import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MillraceError } from '../../src/model/errors.js'
import { confluentRegistry } from '../../src/serde/confluent-registry.js'

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void

/** A server that answers as a test says; the count of requests starts with 1. */
async function serve(handler: Handler, tls?: object) {
  const asked: string[] = []
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    request.resume()
    asked.push(`${request.method} ${request.url}`)
    handler(request, response, asked.length)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, asked }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(text)
}

const long: Handler = (_, response) => answer(response, 200, { schema: '"long"' })

async function errorOf(work: Promise<unknown>): Promise<MillraceError> {
  try {
    await work
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown
    throw thrown
  }
  throw new Error('nothing thrown')
}

describe('a registry that does not answer well', () => {
  it.each<[string, Handler]>([
    ['503 in words', (_, response) => answer(response, 503, { error_code: 50301, message: 'no leader' })],
    ['503 without words', (_, response) => answer(response, 503, '')],
    ['429', (_, response) => answer(response, 429, { message: 'too many' })],
    ['a connection that ends', (_, response) => response.destroy()],
    ['an answer that is none', (_, response) => answer(response, 200, '<html>')],
  ])('is asked again: %s', async (_, fault) => {
    let faults = 0
    const { url } = await serve((request, response, count) => {
      if (count > 2) return long(request, response, count)
      faults++
      fault(request, response, count)
    })
    expect(await confluentRegistry({ urls: [url] }).schema(1)).toBe('long')
    expect(faults).toBe(2)
  })

  it('is given up after a while, and asked again by the next call', async () => {
    let up = false
    const { url, asked } = await serve((request, response, count) =>
      up ? long(request, response, count) : answer(response, 500, { message: 'broken' }),
    )
    const registry = confluentRegistry({ urls: [url] })
    const error = await errorOf(registry.schema(1))
    expect([error.code, error.message]).toEqual([
      'REGISTRY',
      `The schema registry ${url} does not answer: 500, broken. Is it running, and is the address right?`,
    ])
    const before = asked.length
    up = true
    expect(await registry.schema(1)).toBe('long')
    expect(asked).toHaveLength(before + 1)
  })

  it.each<[string, Handler]>([
    ['never answers', () => undefined],
    ['stops in the middle of an answer', (_, response) => response.writeHead(200).write('{"schema":')],
    [
      'ends in the middle of an answer',
      (_, response) => response.writeHead(200).write('{"schema":', () => response.destroy()),
    ],
  ])('holds nobody up for longer than its time limit where it %s', async (_, fault) => {
    const { url } = await serve(fault)
    const error = await errorOf(confluentRegistry({ urls: [url], timeout: 300 }).schema(1))
    expect([error.code, error.message]).toEqual(['REGISTRY', expect.stringContaining('no answer within 300 ms')])
  })

  it('is not waited for where another one answers', async () => {
    const hanging = await serve(() => undefined)
    const fine = await serve(long)
    const registry = confluentRegistry({ urls: [hanging.url, 'http://127.0.0.1:1', fine.url], timeout: 300 })
    expect(await registry.schema(1)).toBe('long')
    expect(await registry.schema(2)).toBe('long')
    expect([hanging.asked, fine.asked]).toEqual([['GET /schemas/ids/1'], ['GET /schemas/ids/1', 'GET /schemas/ids/2']])
  })
})

describe('what is asked', () => {
  it('once for an id, also at the same time, and again where there was none', async () => {
    let there = true
    const { url, asked } = await serve((request, response, count) => {
      if (request.url === '/subjects?limit=1') answer(response, 200, [])
      else if (there) long(request, response, count)
      else answer(response, 404, { error_code: 40403, message: 'Schema not found' })
    })
    const registry = confluentRegistry({ urls: [url] })
    expect(await Promise.all([registry.schema(1), registry.schema(1), registry.schema(1)])).toEqual(
      Array(3).fill('long'),
    )
    expect(await registry.schema(1)).toBe('long')
    expect(asked).toEqual(['GET /schemas/ids/1'])
    there = false
    expect([await registry.schema(2), await registry.schema(2)]).toEqual([undefined, undefined])
    const asking = 'GET /schemas/ids/2'
    expect(asked.slice(1)).toEqual([asking, 'GET /subjects?limit=1', asking, asking, asking])
    there = true
    expect(await registry.schema(2)).toBe('long')
  })

  it('twice where there is none: another instance may have registered it just now', async () => {
    let there = false
    const { url } = await serve((request, response, count) => {
      if (request.url === '/subjects?limit=1') answer(response, 200, [])
      else if (there) long(request, response, count)
      else {
        there = true
        answer(response, 404, { error_code: 40403, message: 'Schema not found' })
      }
    })
    expect(await confluentRegistry({ urls: [url] }).schema(2)).toBe('long')
  })

  it('without the right to register, for a schema that is registered', async () => {
    const { url, asked } = await serve((request, response) => {
      if (request.url === '/subjects/t-value') answer(response, 200, { id: 12, version: 1 })
      else answer(response, 403, { error_code: 40301, message: 'read only' })
    })
    const registry = confluentRegistry({ urls: [`${url}/`] })
    expect(await registry.register('t-value', 'long')).toBe(12)
    expect(asked).toEqual(['POST /subjects/t-value'])
  })
})

describe('who asks', () => {
  const guarded: Handler = (request, response, count) => {
    if (request.headers.authorization === 'Bearer hunter2') long(request, response, count)
    else answer(response, 401, request.headers.authorization === undefined ? '' : { message: 'no' })
  }

  it('is said in a header, anew with each request', async () => {
    const { url } = await serve(guarded)
    let token = 'hunter2'
    const registry = confluentRegistry({ urls: [url], authorization: () => `Bearer ${token}` })
    expect(await registry.schema(1)).toBe('long')
    token = 'hunter3'
    const error = await errorOf(registry.schema(2))
    expect([error.code, error.message]).toEqual([
      'REGISTRY_REFUSED',
      expect.stringContaining('answers 401 (no): it does not'),
    ])
    expect(error.message).not.toContain('hunter')
    expect((await errorOf(confluentRegistry({ urls: [url] }).schema(1))).message).toContain(
      'no user, password or token',
    )
  })

  it('is shown by a client certificate, to a server whose authority is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-registry-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const pem = (name: string) => {
      const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
      const request = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ]
      const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]
      execFileSync('openssl', [...request, ...names], { stdio: 'ignore' })
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    }
    const [server, client] = [pem('server'), pem('client')]
    const { url } = await serve(long, { ...server, ca: client.cert, requestCert: true, rejectUnauthorized: true })
    const ask = (tls: object) => confluentRegistry({ urls: [url], tls }).schema(1)
    expect(await ask({ ...client, ca: server.cert })).toBe('long')
    expect((await errorOf(ask(client))).message).toMatch(/does not answer: .*self-signed/)
    expect((await errorOf(ask({ ca: server.cert }))).code).toBe('REGISTRY')
  })
})
