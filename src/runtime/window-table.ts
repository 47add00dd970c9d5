import type { AvroSchema } from '../model/avro-schema.js'
import type { Store, StoreWrite } from '../ports/store.js'
import type { WindowSpec } from '../topology/node.js'
import { EntrySize } from './entry-size.js'
import { Format, fingerprintAt, HEADER_BYTES, headerOf, unknownFormat } from './internal-value.js'
import type { KeyCodec, KeyEntry } from './key-codec.js'
import type { Accumulator, MeasureProgram } from './measure-program.js'

/** One key's window: its states, and what has become of it since the last commit. */
export interface Cell extends Accumulator {
  readonly key: KeyEntry
  readonly start: number
  /** An entry of it is in the changelog and the store. */
  stored: boolean
}

/** Bytes of a window's start in front of the key: an unsigned big-endian int64. */
const START_BYTES = 8

/** Key of a window in a changelog topic: `start | key`, so that a store is ordered by start. */
function windowKey(start: number, key: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(START_BYTES + key.length)
  bytes.writeBigUInt64BE(BigInt(start), 0)
  key.copy(bytes, START_BYTES)
  return bytes
}

function startOf(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64BE(at))
}

/**
 * The windows of one aggregate in one task: dirty entries and a cache in memory, the rest in the store.
 *
 * Use: `want` every cell of a batch, `load` once, then `cell` without waiting; `close` the windows behind stream time;
 * `changes` at commit, `committed` after it.
 */
export class WindowTable {
  private readonly cells = new Map<number, Map<string, Cell>>()
  /** Starts of windows with an entry in the store: a window of another start is known to be new without a look-up. */
  private readonly storedStarts = new Set<number>()
  private wanted: { readonly start: number; readonly key: KeyEntry }[] = []
  private readonly header: Buffer
  private readonly fingerprint: string
  private readonly dirty = new Set<Cell>()
  private readonly tombstones: Buffer[] = []
  private readonly ranges: StoreWrite[] = []
  private size = 0
  readonly entrySize = new EntrySize()
  /** Entries of stored windows that commits changed and that were in memory (hits), and look-ups in the store (misses). */
  readonly lookups = { hits: 0, misses: 0 }
  /** Cells that were looked up and found since the last commit. */
  private loaded = 0
  /** Close time of the window that closes first among the open ones, or Infinity. */
  private firstClose = Number.POSITIVE_INFINITY

  constructor(
    readonly name: string,
    readonly window: WindowSpec,
    readonly program: MeasureProgram,
    readonly keys: KeyCodec,
    fingerprint: Buffer,
    /** The schema of states that another version of this aggregate wrote, by fingerprint. */
    private readonly schemaOf: (fingerprint: string) => AvroSchema | undefined,
    private readonly store: Store,
  ) {
    this.header = headerOf(Format.state, fingerprint)
    this.fingerprint = fingerprint.toString('latin1')
    this.prefix = Buffer.concat([Buffer.from('w'), Buffer.of(name.length), Buffer.from(name)])
    this.decoders.set(this.fingerprint, program.decoder())
  }

  private readonly prefix: Buffer
  private readonly decoders = new Map<string, (data: Buffer, start: number, end: number) => unknown[]>()

  closeTime(start: number): number {
    return start + this.window.size + this.window.grace
  }

  get openWindows(): number {
    return new Set([...this.cells.keys(), ...this.storedStarts]).size
  }

  /** Reads the starts of stored windows, after a restore. */
  async open(): Promise<void> {
    let from = this.prefix
    const end = Buffer.concat([this.prefix, Buffer.alloc(START_BYTES, 0xff)])
    for (;;) {
      let found: number | undefined
      for await (const [key] of this.store.range(from, end, { limit: 1 })) found = startOf(key, this.prefix.length)
      if (found === undefined) return
      this.storedStarts.add(found)
      this.firstClose = Math.min(this.firstClose, this.closeTime(found))
      from = this.rangeKey(found + 1)
    }
  }

  /** Notes that the next `load` has to bring this cell. */
  want(start: number, key: KeyEntry): void {
    if (this.storedStarts.has(start) && !this.cells.get(start)?.has(key.id)) this.wanted.push({ start, key })
  }

  get loading(): boolean {
    return this.wanted.length > 0
  }

  /** Brings the wanted cells into memory with one look-up. */
  async load(): Promise<void> {
    const { wanted } = this
    if (wanted.length === 0) return
    this.wanted = []
    this.lookups.misses += wanted.length
    const values = await this.store.getMany(wanted.map(w => this.storeKey(w.start, w.key.bytes)))
    for (let i = 0; i < wanted.length; i++) {
      const { start, key } = wanted[i]!
      const value = values[i]
      if (value && !this.cells.get(start)?.has(key.id)) {
        this.put(this.decode(start, key, value))
        this.loaded++
      }
    }
  }

  /** The cell of a window and key, made when there is none. It must be in memory, new, or known not to be stored. */
  cell(start: number, key: KeyEntry): Cell {
    const known = this.cells.get(start)?.get(key.id)
    if (known) return known
    const cell: Cell = { key, start, states: undefined, timestamp: 0, stored: false }
    this.put(cell)
    return cell
  }

  /** All open windows with a row, in the order of (start, key bytes), from memory and the store. For queries. */
  async entries(): Promise<Cell[]> {
    const entries = [...this.cells.values()].flatMap(cells => [...cells.values()])
    for (const start of this.storedStarts) {
      for await (const [storeKey, value] of this.store.range(this.rangeKey(start), this.rangeKey(start + 1))) {
        const key = this.keys.ofBytes(storeKey.subarray(this.prefix.length + START_BYTES))
        if (!this.cells.get(start)?.has(key.id)) entries.push(this.decode(start, key, value))
      }
    }
    return entries
      .filter(cell => cell.states !== undefined)
      .sort((a, b) => a.start - b.start || (a.key.id < b.key.id ? -1 : 1))
  }

  /** Whether a window closes at or before `time`. */
  closes(time: number): boolean {
    return this.firstClose <= time
  }

  /**
   * Takes the windows out that closed at `time`. The answer is, in the order of (start, key bytes), all their cells, or
   * only those that changed since the last commit. Their entries are deleted with the next commit.
   */
  async close(time: number, which: 'all' | 'changed'): Promise<Cell[]> {
    const starts = [...new Set([...this.cells.keys(), ...this.storedStarts])].sort((a, b) => a - b)
    const closed: Cell[] = []
    this.firstClose = Number.POSITIVE_INFINITY
    for (const start of starts) {
      if (this.closeTime(start) > time) {
        this.firstClose = this.closeTime(start)
        break
      }
      closed.push(...(await this.take(start, which)))
    }
    return closed
  }

  private async take(start: number, which: 'all' | 'changed'): Promise<Cell[]> {
    const inMemory = this.cells.get(start)
    const cells = inMemory ? [...inMemory.values()] : []
    for (const cell of cells) if (cell.stored) this.tombstones.push(windowKey(start, cell.key.bytes))
    const taken = which === 'all' ? cells : cells.filter(cell => this.dirty.has(cell))
    if (this.storedStarts.has(start)) {
      const from = this.rangeKey(start)
      const to = this.rangeKey(start + 1)
      for await (const [storeKey, value] of this.store.range(from, to)) {
        const bytes = storeKey.subarray(this.prefix.length + START_BYTES)
        if (inMemory?.has(bytes.toString('latin1'))) continue
        this.tombstones.push(windowKey(start, bytes))
        if (which === 'all') taken.push(this.decode(start, this.keys.ofBytes(bytes), value))
      }
      this.ranges.push({ type: 'deleteRange', from, to })
      this.storedStarts.delete(start)
    }
    for (const cell of cells) this.dirty.delete(cell)
    this.cells.delete(start)
    this.size -= cells.length
    return taken.sort((a, b) => (a.key.id < b.key.id ? -1 : a.key.id > b.key.id ? 1 : 0))
  }

  /** Notes that a cell was changed. */
  touch(cell: Cell): void {
    this.dirty.add(cell)
  }

  /** Changed cells of open windows, in the order of their first change since the last commit. */
  get changed(): ReadonlySet<Cell> {
    return this.dirty
  }

  /**
   * What this commit changes: `log` gets every changelog record (a null value deletes), and the answer is the batch for
   * the store. Nothing is dirty afterwards; a failed commit drops the whole table.
   */
  changes(log: (key: Buffer, value: Buffer | null) => void): StoreWrite[] {
    const writes: StoreWrite[] = []
    for (const key of this.tombstones) log(key, null)
    writes.push(...this.ranges)
    this.tombstones.length = 0
    this.ranges.length = 0
    let known = 0
    for (const cell of this.dirty) {
      if (cell.stored) known++
      const key = windowKey(cell.start, cell.key.bytes)
      if (cell.states === undefined) {
        if (cell.stored) {
          log(key, null)
          writes.push({ type: 'delete', key: Buffer.concat([this.prefix, key]) })
        }
        cell.stored = false
      } else {
        const value = this.encode(cell)
        this.entrySize.note(value.length)
        log(key, value)
        writes.push({ type: 'put', key: Buffer.concat([this.prefix, key]), value })
        cell.stored = true
        this.storedStarts.add(cell.start)
      }
    }
    this.dirty.clear()
    this.lookups.hits += Math.max(0, known - this.loaded)
    this.loaded = 0
    return writes
  }

  /** Gives memory back, oldest windows first, once a commit and its batch went through. */
  committed(cacheBytes: number): void {
    const most = cacheBytes / this.entrySize.bytes
    if (this.size <= most) return
    for (const [start, cells] of this.cells) {
      this.size -= cells.size
      this.cells.delete(start)
      if (this.size <= most / 2) return
    }
  }

  /** Key in the store of a changelog record's key. */
  storeKeyOf(changelogKey: Buffer): Buffer {
    return Buffer.concat([this.prefix, changelogKey])
  }

  private put(cell: Cell): void {
    let cells = this.cells.get(cell.start)
    if (cells === undefined) {
      cells = new Map()
      this.cells.set(cell.start, cells)
      this.firstClose = Math.min(this.firstClose, this.closeTime(cell.start))
    }
    cells.set(cell.key.id, cell)
    this.size++
  }

  private storeKey(start: number, key: Buffer): Buffer {
    return Buffer.concat([this.prefix, windowKey(start, key)])
  }

  private rangeKey(start: number): Buffer {
    return this.storeKey(start, Buffer.alloc(0))
  }

  private encode(cell: Cell): Buffer {
    const timestamp = Buffer.allocUnsafe(8)
    timestamp.writeDoubleBE(cell.timestamp, 0)
    return Buffer.concat([this.header, timestamp, this.program.encode(cell.states as unknown[])])
  }

  private decode(start: number, key: KeyEntry, value: Buffer): Cell {
    const fingerprint = fingerprintAt(value, 0)
    const decode = this.decoder(fingerprint)
    if (value[0] !== Format.state || decode === undefined) {
      throw unknownFormat(`The store "${this.name}"`, value[0], fingerprint)
    }
    const states = decode(value, HEADER_BYTES + 8, value.length)
    return { key, start, states, timestamp: value.readDoubleBE(HEADER_BYTES), stored: true }
  }

  /** The decoder of states with this fingerprint, also those of an older version of the aggregate. */
  decoder(fingerprint: string): ((data: Buffer, start: number, end: number) => unknown[]) | undefined {
    const known = this.decoders.get(fingerprint)
    if (known) return known
    const schema = this.schemaOf(fingerprint)
    if (schema === undefined) return undefined
    const decode = this.program.decoder(schema)
    this.decoders.set(fingerprint, decode)
    return decode
  }
}
