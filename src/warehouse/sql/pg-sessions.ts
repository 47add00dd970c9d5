import { Socket } from 'node:net'
import type pg from 'pg'
import { MillraceError } from '../../model/errors.js'
import type { WarehouseSessions } from '../../ports/warehouse.js'

/** A session that nobody used for so long is closed, in ms. */
const IDLE_MS = 10_000
/** A server that has not closed a session after so long, in ms, is taken to be gone. */
const CLOSED_WITHIN_MS = 5_000

/** An open session, with the socket under it. */
interface Open {
  readonly client: pg.Client
  readonly socket: Socket
  idle?: NodeJS.Timeout
}

/**
 * The sessions of one database: never more than the limit are open at a time, those that are just being opened or closed
 * included, and each is lent to one caller at a time.
 */
export class PgSessions implements WarehouseSessions {
  inUse = 0
  private readonly idle: Open[] = []
  private readonly lent = new Set<Open>()
  /** Opened, and not known to be closed. */
  private open = 0
  /** Who waits for a session, or for one to be closed. */
  private waiting: (() => void)[] = []

  constructor(
    readonly database: string,
    /** More wait for one of these. */
    public limit: number,
    /** Makes a client over a socket, and brings it to where statements can be run. */
    private readonly make: () => Promise<pg.ClientConfig>,
    private readonly begin: (client: pg.Client) => Promise<void>,
  ) {}

  /** @throws MillraceError WAREHOUSE where none may be open; what opening a session throws. */
  async take(): Promise<Open> {
    for (;;) {
      if (this.limit === 0)
        throw new MillraceError('WAREHOUSE', `This process may not have a session of ${this.database}.`)
      const known = this.idle.pop()
      if (known !== undefined) return this.lend(known)
      if (this.open < this.limit) return this.lend(await this.openOne())
      await this.change()
    }
  }

  /** Takes a session back; one that failed is closed, since it may be inside a transaction or broken. */
  giveBack(session: Open, failed: boolean): void {
    this.inUse--
    this.lent.delete(session)
    if (failed || this.open > this.limit) {
      this.close(session)
      return
    }
    session.idle = setTimeout(() => {
      this.idle.splice(this.idle.indexOf(session), 1)
      this.close(session)
    }, IDLE_MS)
    session.idle.unref()
    this.idle.push(session)
    this.changed()
  }

  async allow(limit: number, atOnce = false): Promise<void> {
    this.limit = limit
    this.changed()
    while (this.open > this.limit && this.idle.length > 0) this.close(this.idle.pop() as Open)
    const over = atOnce ? [...this.lent].slice(0, Math.max(0, this.lent.size - limit)) : []
    for (const { socket } of over) socket.destroy()
    while (this.open > this.limit) await this.change()
  }

  private lend(session: Open): Open {
    clearTimeout(session.idle)
    this.lent.add(session)
    this.inUse++
    return session
  }

  private async openOne(): Promise<Open> {
    this.open++
    const socket = new Socket()
    try {
      const { default: driver } = await import('pg')
      const client = new driver.Client({ ...(await this.make()), stream: () => socket })
      const session: Open = { client, socket }
      // A broken connection fails the query that runs and is reported here as well; without a listener it ends the process.
      client.on('error', () => undefined)
      client.on('end', () => this.brokeOff(session))
      await client.connect()
      await this.begin(client)
      return session
    } catch (thrown) {
      socket.destroy()
      this.open--
      this.changed()
      throw thrown
    }
  }

  /** The server ended a session that nobody used. */
  private brokeOff(session: Open): void {
    const at = this.idle.indexOf(session)
    if (at < 0) return
    this.idle.splice(at, 1)
    this.close(session)
  }

  /** Another one may be opened when the server has closed it: for the server, it is there until then. */
  private close({ client, socket, idle }: Open): void {
    clearTimeout(idle)
    const gone = setTimeout(() => socket.destroy(), CLOSED_WITHIN_MS)
    client
      .end()
      .catch(() => undefined)
      .then(() => {
        clearTimeout(gone)
        this.open--
        this.changed()
      })
  }

  private change(): Promise<void> {
    return new Promise(resolve => this.waiting.push(resolve))
  }

  private changed(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}
