import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What happens to the next COMMIT that comes through. `hang` passes nothing on from then on. */
export type Cut = 'before COMMIT' | 'after COMMIT' | 'hang'

/** A proxy before PostgreSQL that loses the connection around a COMMIT. */
export interface CuttingProxy {
  readonly url: string
  /** Arms the proxy once. With `refuse`, later connections are refused as long as `accept` was not called. */
  arm(cut: Cut, options?: { readonly refuse?: boolean }): void
  accept(): void
  close(): Promise<void>
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { port, hostname } = new URL(target)
  const sockets = new Set<Socket>()
  let armed: { cut: Cut; refuse: boolean } | undefined
  let refusing = false

  const server = createServer(client => {
    if (refusing) return client.destroy()
    const upstream = connect(Number(port), hostname)
    let cutting: Cut | undefined
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        if (cutting !== 'hang') end()
      })
    }
    client.on('data', data => {
      if (armed && data.includes('COMMIT\0')) {
        cutting = armed.cut
        refusing = armed.refuse
        armed = undefined
        if (cutting === 'before COMMIT') return end()
      }
      if (cutting !== 'hang') upstream.write(data)
    })
    upstream.on('data', data => {
      if (cutting === 'after COMMIT') end()
      else if (cutting !== 'hang') client.write(data)
    })
    return undefined
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = new URL(target)
  url.port = String(typeof address === 'object' ? address?.port : '')
  return {
    url: url.href,
    arm(cut, options) {
      armed = { cut, refuse: options?.refuse ?? false }
    },
    accept() {
      refusing = false
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
