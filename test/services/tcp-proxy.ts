import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** What a proxy does with connections: pass them on, refuse them, or take them and never answer. */
type Behaviour = 'pass' | 'refuse' | 'hang'

/**
 * A TCP proxy on 127.0.0.1 that makes a server go away without ending it: for faults after which the server's data must
 * be as before.
 */
export class TcpProxy {
  /** Connections that came while it refused or hung: a fault that nobody met shows as 0. */
  faults = 0
  /** The most connections that were passed on at the same time. */
  peak = 0
  private passing = 0
  private behaviour: Behaviour = 'pass'
  private server: Server | undefined
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly target: number,
    private listening = 0,
  ) {}

  static async to(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port)
    await proxy.listen()
    return proxy
  }

  get port(): number {
    return this.listening
  }

  /** Ends open connections and does so from now on. Refused connections are closed at once, without a byte. */
  become(behaviour: Behaviour): void {
    this.behaviour = behaviour
    for (const socket of this.sockets) socket.destroy()
  }

  async close(): Promise<void> {
    const { server } = this
    if (!server) return
    const closed = new Promise(resolve => server.close(resolve))
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  private async listen(): Promise<void> {
    const server = createServer(socket => this.accept(socket))
    this.server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    this.listening = typeof address === 'object' && address ? address.port : 0
  }

  private accept(socket: Socket): void {
    this.keep(socket)
    if (this.behaviour !== 'pass') this.faults++
    switch (this.behaviour) {
      case 'pass': {
        this.peak = Math.max(this.peak, ++this.passing)
        socket.once('close', () => this.passing--)
        const onward = this.keep(createConnection(this.target, '127.0.0.1'))
        socket.pipe(onward).pipe(socket)
        onward.once('close', () => socket.destroy())
        socket.once('close', () => onward.destroy())
        return
      }
      case 'refuse':
        socket.resetAndDestroy()
        return
      case 'hang':
        socket.resume()
        return
      default:
        this.behaviour satisfies never
    }
  }

  private keep(socket: Socket): Socket {
    this.sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.sockets.delete(socket))
    return socket
  }
}
