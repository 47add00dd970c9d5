import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import type LevelDOWN from 'rocksdb'
import type { Iterator } from 'rocksdb'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { RangeOptions, Store, StoreEngine, StoreWrite } from '../../ports/store.js'
import { type Cursor, OperationGate } from './operation-gate.js'
import { rocksdbEngine } from './rocksdb-engine.js'
import { directorySize } from './store-directory.js'

/** As in the native engine. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024

/** Changes put into a native batch before the event loop gets a turn: a batch of 9,000 in one go blocks it for 20-40 ms. */
const CHANGES_PER_TURN = 500

/** From this major version of Node on, loading the package's binary ends the process. */
const REFUSED_NODE = 22

/**
 * Stores in RocksDB 6 by the archived package `rocksdb`, an optional dependency, for Node 20. Its guarantees are those
 * of `rocksdbNativeEngine`; a range is deleted key by key.
 * @param nodeVersion the version to judge by, default this process's.
 */
export function rocksdbClassicEngine(nodeVersion = process.versions.node): StoreEngine {
  const load = async () => {
    if (Number.parseInt(nodeVersion, 10) >= REFUSED_NODE) throw refusal(nodeVersion)
    return loadDriver()
  }
  return rocksdbEngine('rocksdb', load, async (Database, directory, onClosed) => {
    const database = new Database(directory)
    await promisify(database.open.bind(database))({ writeBufferSize: WRITE_BUFFER_BYTES })
    return new ClassicStore(directory, database, onClosed)
  })
}

function refusal(nodeVersion: string): MillraceError {
  return new MillraceError(
    'STORE_ENGINE',
    `The store engine "rocksdb" would end the process on Node ${nodeVersion}: its binary is for Node 20. ` +
      'Use the engine "rocksdb-native"; it restores the stores from their changelogs.',
  )
}

async function loadDriver() {
  try {
    return (await import('rocksdb')).default
  } catch (thrown) {
    throw new MillraceError(
      'STORE_ENGINE',
      `The store engine "rocksdb" cannot be loaded: ${messageOf(thrown)}. ` +
        'Install its package (npm install rocksdb), or use the engine "rocksdb-native".',
      { cause: thrown },
    )
  }
}

/** A put, or a delete where there is no value. */
interface Change {
  readonly key: Buffer
  readonly value?: Buffer
}

class ClassicStore implements Store {
  private readonly gate: OperationGate

  constructor(
    private readonly directory: string,
    private readonly database: LevelDOWN,
    private readonly onClosed: () => void,
  ) {
    this.gate = new OperationGate(directory)
  }

  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.gate.run(
      () =>
        new Promise((resolve, reject) => {
          this.database.getMany(keys, (error, values) => (error ? reject(error) : resolve(values ?? [])))
        }),
    )
  }

  range(from: Buffer, to: Buffer, options: RangeOptions = {}): AsyncIterable<readonly [Buffer, Buffer]> {
    this.gate.requireOpen()
    return this.gate.entries(this.gate.register(new ClassicCursor(this.database, from, to, options)))
  }

  write(batch: readonly StoreWrite[]): Promise<void> {
    return this.gate.runInOrder(async () => {
      const changes = await this.withoutRanges(batch)
      const writes = this.database.batch()
      let filled = 0
      for (const { key, value } of changes) {
        if (value) writes.put(key, value)
        else writes.del(key)
        if (++filled % CHANGES_PER_TURN === 0) await turn()
      }
      await promisify(writes.write.bind(writes))()
    })
  }

  /**
   * The last change of each key, with each range resolved into deletes of the keys that it meets, in the store and
   * earlier in the batch. Correct because writes run one after the other.
   */
  private async withoutRanges(batch: readonly StoreWrite[]): Promise<Iterable<Change>> {
    const plain = batch.filter(change => change.type !== 'deleteRange')
    if (plain.length === batch.length) return plain
    const changes = new Map<string, Change>()
    const set = (change: Change) => changes.set(change.key.toString('latin1'), change)
    for (const change of batch) {
      if (change.type !== 'deleteRange') {
        set(change)
        continue
      }
      const { from, to } = change
      for (const { key } of changes.values()) {
        if (Buffer.compare(from, key) <= 0 && Buffer.compare(key, to) < 0) set({ key })
      }
      const cursor = new ClassicCursor(this.database, from, to, {})
      try {
        for (let entry = await cursor.next(); entry; entry = await cursor.next()) set({ key: entry[0] })
      } finally {
        await cursor.end()
      }
    }
    return changes.values()
  }

  sizeOnDisk(): Promise<number> {
    return this.gate.run(() => directorySize(this.directory))
  }

  close(): Promise<void> {
    return this.gate.close(async () => {
      await promisify(this.database.close.bind(this.database))()
      this.onClosed()
    })
  }
}

/** Reads from a snapshot that is taken when the cursor is made. */
class ClassicCursor implements Cursor {
  private readonly iterator: Iterator

  constructor(database: LevelDOWN, from: Buffer, to: Buffer, options: RangeOptions) {
    const limit = Buffer.compare(from, to) < 0 ? (options.limit ?? -1) : 0
    this.iterator = database.iterator({ gte: from, lt: to, limit, reverse: options.reverse ?? false })
  }

  next(): Promise<readonly [Buffer, Buffer] | undefined> {
    return new Promise((resolve, reject) => {
      this.iterator.next((error, key, value) => {
        if (error) reject(error)
        else resolve(key && value ? [key, value] : undefined)
      })
    })
  }

  end(): Promise<void> {
    return promisify(this.iterator.end.bind(this.iterator))()
  }
}
