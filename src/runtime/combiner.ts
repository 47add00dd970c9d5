import type { WindowSpec } from '../topology/node.js'
import { EntrySize } from './entry-size.js'
import { Format, HEADER_BYTES, headerOf } from './internal-value.js'
import type { KeyEntry } from './key-codec.js'
import type { Accumulator, MeasureProgram } from './measure-program.js'

/** What a combining step holds of one key's window since the last commit. */
export interface Partial extends Accumulator {
  readonly key: KeyEntry
  readonly start: number
  /** Records in it, for the count of what arrives after its window closed. */
  records: number
  /** A custom aggregate deleted the window's row: what stands downstream is to be dropped before this is merged. */
  reset: boolean
}

const RESET = 1
const DELETED = 2

/** Bytes between the header and the states: flags, start, highest timestamp, records. */
const PREAMBLE_BYTES = 1 + 8 + 8 + 8

/**
 * Combines before the shuffle: one partial a (key, window) and commit, however many records there were (DESIGN section 3).
 * Late records never reach it, so a partial carries no lateness.
 */
export class Combiner {
  private partials = new Map<number, Map<KeyEntry, Partial>>()
  private count = 0
  private readonly entrySize = new EntrySize()
  private readonly header: Buffer

  constructor(
    readonly window: WindowSpec,
    readonly program: MeasureProgram,
    fingerprint: Buffer,
  ) {
    this.header = headerOf(Format.partial, fingerprint)
  }

  get size(): number {
    return this.count
  }

  /** Estimate of the memory that it takes, in bytes. */
  get heldBytes(): number {
    return this.count * this.entrySize.bytes
  }

  /** The partial of a window and key, made when there is none. */
  partial(start: number, key: KeyEntry): Partial {
    let keys = this.partials.get(start)
    if (keys === undefined) {
      keys = new Map()
      this.partials.set(start, keys)
    }
    let partial = keys.get(key)
    if (partial === undefined) {
      partial = { key, start, states: undefined, timestamp: 0, records: 0, reset: false }
      keys.set(key, partial)
      this.count++
    }
    return partial
  }

  /** Hands out every partial, encoded, and forgets them. */
  flush(send: (key: KeyEntry, value: Buffer) => void): void {
    for (const keys of this.partials.values()) {
      for (const partial of keys.values()) {
        if (partial.records === 0) continue
        const value = this.encode(partial)
        this.entrySize.note(value.length)
        send(partial.key, value)
      }
    }
    this.clear()
  }

  clear(): void {
    this.partials = new Map()
    this.count = 0
  }

  private encode(partial: Partial): Buffer {
    const preamble = Buffer.allocUnsafe(PREAMBLE_BYTES)
    preamble[0] = (partial.reset ? RESET : 0) | (partial.states === undefined ? DELETED : 0)
    preamble.writeDoubleBE(partial.start, 1)
    preamble.writeDoubleBE(partial.timestamp, 9)
    preamble.writeDoubleBE(partial.records, 17)
    const parts = [this.header, preamble]
    if (partial.states !== undefined) parts.push(this.program.encode(partial.states))
    return Buffer.concat(parts)
  }
}

/** A partial as the merging step reads it. */
export interface ReadPartial {
  readonly start: number
  readonly timestamp: number
  readonly records: number
  readonly reset: boolean
  readonly states: unknown[] | undefined
}

/** Reads a partial at `data[start, end)`, behind its header. */
export function decodePartial(
  data: Buffer,
  start: number,
  end: number,
  decode: (data: Buffer, start: number, end: number) => unknown[],
): ReadPartial {
  const at = start + HEADER_BYTES
  const flags = data[at] as number
  return {
    start: data.readDoubleBE(at + 1),
    timestamp: data.readDoubleBE(at + 9),
    records: data.readDoubleBE(at + 17),
    reset: (flags & RESET) !== 0,
    states: (flags & DELETED) === 0 ? decode(data, at + PREAMBLE_BYTES, end) : undefined,
  }
}
