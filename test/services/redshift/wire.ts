/** A message of PostgreSQL's protocol, version 3. */
export interface WireMessage {
  /** One letter; empty for the first message of a client. */
  readonly type: string
  readonly body: Buffer
}

export function encode({ type, body }: WireMessage): Buffer {
  const head = Buffer.alloc(type.length + 4)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, type.length)
  return Buffer.concat([head, body])
}

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  private chunks: Buffer[] = []
  private bytes = 0
  /** Bytes without which there is no further message. */
  private needed = 0

  /** @param started False while the client's first message, which has no letter, is awaited. */
  constructor(private started: boolean) {}

  /** The next message after what is expected to be one without a letter. */
  expectStartup(): void {
    this.started = false
  }

  *read(chunk: Buffer): Iterable<WireMessage> {
    this.chunks.push(chunk)
    this.bytes += chunk.length
    if (this.bytes < this.needed) return
    let rest = Buffer.concat(this.chunks)
    for (;;) {
      const head = this.started ? 1 : 0
      const end = rest.length < head + 4 ? head + 4 : head + rest.readInt32BE(head)
      if (rest.length < head + 4 || rest.length < end) {
        this.needed = end
        break
      }
      const message = { type: rest.toString('latin1', 0, head), body: rest.subarray(head + 4, end) }
      rest = rest.subarray(end)
      this.started = true
      yield message
    }
    this.chunks = [rest]
    this.bytes = rest.length
  }
}

/** The text up to the next zero byte, and the position behind it. */
export function textAt(body: Buffer, at: number): { readonly text: string; readonly end: number } {
  const zero = body.indexOf(0, at)
  return { text: body.toString('utf8', at, zero), end: zero + 1 }
}

export function texts(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.map(part => `${part}\0`).join(''))
}

export const query = (sql: string): WireMessage => ({ type: 'Q', body: texts(sql) })
export const commandComplete = (tag: string): WireMessage => ({ type: 'C', body: texts(tag) })
export const empty = (type: string): WireMessage => ({ type, body: Buffer.alloc(0) })
export const readyForQuery = (state: string): WireMessage => ({ type: 'Z', body: Buffer.from(state) })

/** An ErrorResponse from its fields by their letters. */
export function errorResponse(fields: ReadonlyMap<string, string>): WireMessage {
  return { type: 'E', body: texts(...[...fields].map(([letter, text]) => letter + text), '') }
}

/** The fields of an ErrorResponse by their letters: S severity, C code, M message, D detail, W where, n constraint. */
export function errorFields({ body }: WireMessage): Map<string, string> {
  const fields = new Map<string, string>()
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const { text, end } = textAt(body, at)
    fields.set(text.slice(0, 1), text.slice(1))
    at = end
  }
  return fields
}
