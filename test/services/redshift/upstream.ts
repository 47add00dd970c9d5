import { connect, type Socket } from 'node:net'
import { encode, MessageReader, query, type WireMessage } from './wire.js'

/** The session of PostgreSQL behind a session of the shim. */
export class Upstream {
  /** I outside a transaction, T inside one, E in one that failed. */
  state = 'I'
  private readonly socket: Socket
  private readonly waiting: WireMessage[] = []
  private wake: (() => void) | undefined
  private ended = false
  readonly closed: Promise<void>

  constructor(host: string, port: number) {
    this.socket = connect(port, host)
    this.socket.setNoDelay(true)
    const reader = new MessageReader(true)
    this.socket.on('data', (chunk: Buffer) => {
      this.waiting.push(...reader.read(chunk))
      this.wake?.()
    })
    this.socket.on('error', () => undefined)
    this.closed = new Promise(resolve => {
      this.socket.on('close', () => {
        this.ended = true
        this.wake?.()
        resolve()
      })
    })
  }

  send(...messages: readonly WireMessage[]): void {
    this.socket.write(Buffer.concat(messages.map(encode)))
  }

  /** @throws Error when the session ended. */
  async next(): Promise<WireMessage> {
    for (;;) {
      const message = this.waiting.shift()
      if (message) {
        if (message.type === 'Z') this.state = message.body.toString('latin1')
        return message
      }
      if (this.ended) throw new Error('PostgreSQL ended the session')
      await new Promise<void>(resolve => {
        this.wake = resolve
      })
    }
  }

  /** Answers of what was sent, up to ReadyForQuery, which is left out. A COPY FROM STDIN is given `data`. */
  async answers(data?: Buffer): Promise<WireMessage[]> {
    const answers: WireMessage[] = []
    for (;;) {
      const message = await this.next()
      if (message.type === 'Z') return answers
      if (message.type === 'G' && data) this.send({ type: 'd', body: data }, { type: 'c', body: Buffer.alloc(0) })
      else answers.push(message)
    }
  }

  /** Runs one text of SQL by the simple protocol. */
  run(sql: string, data?: Buffer): Promise<WireMessage[]> {
    this.send(query(sql))
    return this.answers(data)
  }

  /** Rows of a SELECT as texts. @throws Error when it fails. */
  async select(sql: string): Promise<(string | null)[][]> {
    const answers = await this.run(sql)
    if (answers.some(({ type }) => type === 'E')) throw new Error(`the shim's own statement failed: ${sql}`)
    return answers.filter(({ type }) => type === 'D').map(rowOf)
  }

  end(): void {
    this.socket.end(encode({ type: 'X', body: Buffer.alloc(0) }))
  }

  destroy(): void {
    this.socket.destroy()
  }
}

function rowOf({ body }: WireMessage): (string | null)[] {
  const row: (string | null)[] = []
  let at = 2
  for (let count = body.readInt16BE(0); count > 0; count--) {
    const length = body.readInt32BE(at)
    at += 4
    row.push(length < 0 ? null : body.toString('utf8', at, at + length))
    at += Math.max(0, length)
  }
  return row
}
