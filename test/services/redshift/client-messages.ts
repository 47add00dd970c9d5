import type { Socket } from 'node:net'
import { MessageReader, type WireMessage } from './wire.js'

/** The messages of a client, in their order. */
export class ClientMessages {
  private readonly reader = new MessageReader(false)
  private readonly waiting: WireMessage[] = []
  private ended = false
  private wake: (() => void) | undefined

  constructor(client: Socket) {
    client.on('data', (chunk: Buffer) => {
      this.waiting.push(...this.reader.read(chunk))
      this.wake?.()
    })
    client.on('close', () => {
      this.ended = true
      this.wake?.()
    })
  }

  /** After a request for TLS the first message comes again. */
  expectStartup(): void {
    this.reader.expectStartup()
  }

  /** Undefined behind the end. */
  async next(): Promise<WireMessage | undefined> {
    while (this.waiting.length === 0) {
      if (this.ended) return undefined
      await new Promise<void>(resolve => {
        this.wake = resolve
      })
    }
    return this.waiting.shift()
  }
}
