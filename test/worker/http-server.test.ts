import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type HttpServer, type Page, serveHttp } from '../../src/worker/http-server.js'

const LOOPBACK = { host: '127.0.0.1', port: 0 }
const page = (text: string, status = 200): Page => ({ status, contentType: 'text/plain; charset=utf-8', text })

const servers: HttpServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()))
})

async function serve(pages: Parameters<typeof serveHttp>[1], address = LOOPBACK): Promise<string> {
  const server = await serveHttp(address, pages)
  servers.push(server)
  return server.address
}

describe('serveHttp', () => {
  it('answers GET and HEAD with the page, its status and its type', async () => {
    const address = await serve({ '/': () => page('index\n'), '/sick': async () => page('sick\n', 503) })
    const index = await fetch(`http://${address}/`)
    expect([index.status, index.headers.get('content-type'), await index.text()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'index\n',
    ])
    expect(index.headers.get('cache-control')).toBe('no-store')
    const sick = await fetch(`http://${address}/sick`, { method: 'HEAD' })
    expect([sick.status, await sick.text()]).toEqual([503, ''])
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('refuses %s', async method => {
    const address = await serve({ '/': () => page('index\n') })
    const answer = await fetch(`http://${address}/`, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('has nothing else', async () => {
    const address = await serve({ '/': () => page('index\n') })
    const answer = await fetch(`http://${address}/etc/passwd`)
    expect([answer.status, await answer.text()]).toEqual([404, 'There is no such page. GET / lists those there are.\n'])
  })

  it('a page that throws is 500 with its reason, and the next one is answered', async () => {
    let fails = true
    const sometimes = () => {
      if (fails) throw new Error('no figures')
      return page('well\n')
    }
    const address = await serve({ '/metrics': sometimes })
    const failed = await fetch(`http://${address}/metrics`)
    expect([failed.status, await failed.text()]).toEqual([500, 'This page failed: no figures\n'])
    fails = false
    expect((await fetch(`http://${address}/metrics`)).status).toBe(200)
  })

  it('refuses headers beyond its limit and bodies', async () => {
    const address = await serve({ '/': () => page('index\n') })
    const large = await fetch(`http://${address}/`, { headers: { 'x-large': 'x'.repeat(10_000) } })
    expect(large.status).toBe(431)
    const body = await fetch(`http://${address}/`, { method: 'POST', body: 'x'.repeat(10_000) })
    expect(body.status).toBe(413)
  })

  it('says who has the port', async () => {
    const address = await serve({})
    const port = Number(address.split(':').at(-1))
    await expect(serveHttp({ host: '127.0.0.1', port }, {})).rejects.toMatchObject({
      code: 'HTTP',
      message: `The address of --http ${address} cannot be used: another program listens there. Give another one, port 0 for any free port, or --http off.`,
    })
  })

  it('an address that this machine does not have is an error, too', async () => {
    await expect(serveHttp({ host: '192.0.2.1', port: 0 }, {})).rejects.toMatchObject({
      code: 'HTTP',
      message: expect.stringMatching(/--http 192\.0\.2\.1:0 cannot be used: .*EADDRNOTAVAIL/),
    })
  })

  it('ends connections that say nothing when it closes', async () => {
    const [host, port] = (await serve({ '/': () => page('index\n') })).split(':')
    const socket = connect(Number(port), host)
    await new Promise(resolve => socket.once('connect', resolve))
    const closed = new Promise(resolve => socket.once('close', resolve))
    await servers.pop()?.close()
    await closed
  })
})
