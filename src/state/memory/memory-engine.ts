import { resolve } from 'node:path'
import { MillraceError } from '../../model/errors.js'
import type { RangeOptions, Store, StoreEngine, StoreWrite } from '../../ports/store.js'
import { SortedMap } from './sorted-map.js'

/**
 * Stores in memory, for tests and the embedded log. A store survives `close` and `open` of the same directory name
 * within this engine object, and ends with it. Nothing is written to disk.
 */
export function memoryEngine(): StoreEngine {
  const entries = new Map<string, SortedMap>()
  const open = new Set<string>()

  const refuseOpen = (directory: string, at: string) => {
    if (!open.has(at)) return
    throw new MillraceError('STORE_IN_USE', `The memory store "${directory}" is already open. Close it first.`)
  }

  return {
    name: 'memory',
    async open(directory) {
      const at = resolve(directory)
      refuseOpen(directory, at)
      open.add(at)
      const data = entries.get(at) ?? new SortedMap()
      entries.set(at, data)
      return new MemoryStore(directory, data, () => open.delete(at))
    },
    async destroy(directory) {
      const at = resolve(directory)
      refuseOpen(directory, at)
      entries.delete(at)
    },
  }
}

class MemoryStore implements Store {
  private closed = false

  constructor(
    private readonly directory: string,
    private readonly data: SortedMap,
    private readonly release: () => void,
  ) {}

  async getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    this.requireOpen()
    return keys.map(key => this.data.get(key))
  }

  range(from: Buffer, to: Buffer, options: RangeOptions = {}): AsyncIterable<readonly [Buffer, Buffer]> {
    this.requireOpen()
    return this.read(this.data.snapshot(from, to, options.reverse ?? false), options.limit ?? Infinity)
  }

  private async *read(entries: Iterable<readonly [Buffer, Buffer]>, limit: number) {
    let left = limit
    for (const entry of entries) {
      if (left-- <= 0) return
      this.requireOpen()
      yield entry
    }
  }

  async write(batch: readonly StoreWrite[]): Promise<void> {
    this.requireOpen()
    for (const change of batch) {
      // Keys and values are copied: the caller may reuse its buffers, and a view must not keep a large batch alive.
      if (change.type === 'put') this.data.set(Buffer.from(change.key), Buffer.from(change.value))
      else if (change.type === 'delete') this.data.delete(change.key)
      else this.data.deleteRange(change.from, change.to)
    }
  }

  async sizeOnDisk(): Promise<number> {
    this.requireOpen()
    return 0
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.release()
  }

  private requireOpen(): void {
    if (!this.closed) return
    throw new MillraceError('STORE', `The memory store "${this.directory}" was used after it was closed.`)
  }
}
