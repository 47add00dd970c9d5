import { connect, createServer, type Server, type Socket } from 'node:net'

type State = 'forwarding' | 'refusing' | 'hanging'

interface Pair {
  readonly client: Socket
  server: Socket | undefined
}

/** Stands between a program and a server of the tests, and takes the server away as outages do. */
export class TcpProxy {
  private state: State = 'forwarding'
  private readonly pairs = new Set<Pair>()
  private port = 0

  private constructor(
    private readonly listener: Server,
    private readonly target: { readonly host: string; readonly port: number },
  ) {}

  /** For the server of a URL such as `postgres://user@host:port/database`. */
  static async create(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url)
    const listener = createServer({ pauseOnConnect: true })
    const proxy = new TcpProxy(listener, { host: hostname, port: Number(port) })
    listener.on('connection', client => proxy.accept(client))
    await proxy.listen()
    return proxy
  }

  /** The URL with this proxy in place of its server. */
  through(url: string): string {
    const proxied = new URL(url)
    proxied.hostname = '127.0.0.1'
    proxied.port = String(this.port)
    return proxied.toString()
  }

  /** The server is down: connections break, and no new ones are accepted. */
  async refuse(): Promise<void> {
    this.state = 'refusing'
    const closed = new Promise(resolve => this.listener.close(resolve))
    for (const { client, server } of this.pairs) {
      client.destroy()
      server?.destroy()
    }
    await closed
  }

  /** The server does not answer: connections stay and are accepted, and nothing passes. */
  hang(): void {
    this.state = 'hanging'
    for (const { client, server } of this.pairs) {
      client.unpipe().pause()
      server?.unpipe().pause()
    }
  }

  /** Ends an outage. What hung goes on. */
  async restore(): Promise<void> {
    if (this.state === 'refusing') await this.listen()
    this.state = 'forwarding'
    for (const pair of this.pairs) this.forward(pair)
  }

  async close(): Promise<void> {
    if (this.state !== 'refusing') await this.refuse()
  }

  private listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject)
      this.listener.listen(this.port, '127.0.0.1', () => {
        const address = this.listener.address()
        if (typeof address === 'object' && address) this.port = address.port
        resolve()
      })
    })
  }

  private accept(client: Socket): void {
    const pair: Pair = { client, server: undefined }
    this.pairs.add(pair)
    client.on('error', () => undefined)
    client.on('close', () => {
      this.pairs.delete(pair)
      pair.server?.destroy()
    })
    if (this.state === 'forwarding') this.forward(pair)
  }

  private forward(pair: Pair): void {
    const { client } = pair
    let { server } = pair
    if (!server) {
      server = connect(this.target)
      server.on('error', () => undefined)
      server.on('close', () => client.destroy())
      pair.server = server
    }
    client.pipe(server)
    server.pipe(client)
  }
}
