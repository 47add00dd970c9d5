import type RocksDB from 'rocksdb-native'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { RangeOptions, Store, StoreEngine, StoreWrite } from '../../ports/store.js'
import { type Cursor, OperationGate } from './operation-gate.js'
import { rocksdbEngine } from './rocksdb-engine.js'
import { directorySize } from './store-directory.js'

/** RocksDB keeps up to two write buffers a store, and a worker has a store a task: 64 MiB, the driver's default, is too much. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024

/** Entries that a scan fetches at a time: one hop to the thread pool for all of them. */
const SCAN_CAPACITY = 256

/**
 * Stores in RocksDB 10 by `rocksdb-native`, the default engine. A write survives a crash of the process (it is in the
 * write-ahead log), not one of the machine; the changelog covers that.
 */
export function rocksdbNativeEngine(): StoreEngine {
  return rocksdbEngine('rocksdb-native', loadDriver, async (Database, directory, onClosed) => {
    const database = new Database(directory, { writeBufferSize: WRITE_BUFFER_BYTES })
    await database.ready()
    return new NativeStore(directory, database, onClosed)
  })
}

async function loadDriver() {
  try {
    return (await import('rocksdb-native')).default
  } catch (thrown) {
    throw new MillraceError(
      'STORE_ENGINE',
      `The store engine "rocksdb-native" cannot be loaded: ${messageOf(thrown)}. ` +
        'It needs glibc and libatomic1 (on Debian: apt-get install libatomic1); Alpine has neither.',
      { cause: thrown },
    )
  }
}

class NativeStore implements Store {
  private readonly gate: OperationGate

  constructor(
    private readonly directory: string,
    private readonly database: RocksDB,
    private readonly onClosed: () => void,
  ) {
    this.gate = new OperationGate(directory)
  }

  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.gate.run(async () => {
      if (keys.length === 0) return []
      const batch = this.database.read({ capacity: keys.length })
      try {
        const reads = keys.map(key => batch.get(key))
        const [values] = await Promise.all([Promise.all(reads), batch.flush()])
        return values.map(value => value ?? undefined)
      } finally {
        batch.destroy()
      }
    })
  }

  range(from: Buffer, to: Buffer, options: RangeOptions = {}): AsyncIterable<readonly [Buffer, Buffer]> {
    this.gate.requireOpen()
    return this.gate.entries(this.gate.register(new NativeCursor(this.database, from, to, options)))
  }

  write(batch: readonly StoreWrite[]): Promise<void> {
    return this.gate.runInOrder(async () => {
      const writes = this.database.write({ capacity: Math.max(1, batch.length) })
      try {
        for (const change of batch) {
          if (change.type === 'put') writes.tryPut(change.key, change.value)
          else if (change.type === 'delete') writes.tryDelete(change.key)
          // RocksDB refuses the whole batch for a range that ends before it starts.
          else if (Buffer.compare(change.from, change.to) < 0) writes.tryDeleteRange(change.from, change.to)
        }
        await writes.flush()
      } finally {
        writes.destroy()
      }
    })
  }

  sizeOnDisk(): Promise<number> {
    return this.gate.run(() => directorySize(this.directory))
  }

  close(): Promise<void> {
    return this.gate.close(async () => {
      await this.database.close()
      this.onClosed()
    })
  }
}

/** Reads from a snapshot that is taken when the cursor is made. */
class NativeCursor implements Cursor {
  private readonly snapshot: RocksDB
  private readonly iterator: AsyncIterator<{ readonly key: Buffer; readonly value: Buffer }>

  constructor(database: RocksDB, from: Buffer, to: Buffer, options: RangeOptions) {
    const limit = Buffer.compare(from, to) < 0 ? (options.limit ?? Number.POSITIVE_INFINITY) : 0
    this.snapshot = database.snapshot()
    this.iterator = this.snapshot
      .iterator({
        gte: from,
        lt: to,
        limit,
        reverse: options.reverse ?? false,
        capacity: Math.min(limit + 1, SCAN_CAPACITY),
      })
      [Symbol.asyncIterator]()
  }

  async next(): Promise<readonly [Buffer, Buffer] | undefined> {
    const { value, done } = await this.iterator.next()
    return done ? undefined : [value.key, value.value]
  }

  async end(): Promise<void> {
    await this.iterator.return?.()
    await this.snapshot.close()
  }
}
