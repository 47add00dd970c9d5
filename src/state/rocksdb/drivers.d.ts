/** What the adapter uses of rocksdb-native 3.18, which ships no types. */
declare module 'rocksdb-native' {
  export interface ReadBatch {
    /** Queues a read; resolves after `flush` with null where the key is absent. */
    get(key: Buffer): Promise<Buffer | null>
    flush(): Promise<void>
    destroy(): void
  }

  export interface WriteBatch {
    tryPut(key: Buffer, value: Buffer): void
    tryDelete(key: Buffer): void
    tryDeleteRange(start: Buffer, end: Buffer): void
    flush(): Promise<void>
    destroy(): void
  }

  export interface Range {
    readonly gte: Buffer
    readonly lt: Buffer
    readonly limit?: number
    readonly reverse?: boolean
    /** Entries fetched at a time. */
    readonly capacity?: number
  }

  class RocksDB {
    constructor(path: string, options?: { readonly writeBufferSize?: number })
    ready(): Promise<void>
    /** Waits until every batch and iterator was destroyed. */
    close(): Promise<void>
    snapshot(): RocksDB
    read(options?: { readonly capacity?: number }): ReadBatch
    write(options?: { readonly capacity?: number }): WriteBatch
    iterator(range: Range): AsyncIterable<{ readonly key: Buffer; readonly value: Buffer }>
  }

  export default RocksDB
}

/** What the adapter uses of rocksdb 5.2; the types of DefinitelyTyped give its default export a second `default`. */
declare module 'rocksdb' {
  type Done = (error: Error | null | undefined) => void

  export interface ChainedBatch {
    put(key: Buffer, value: Buffer): this
    del(key: Buffer): this
    clear(): this
    write(done: Done): void
  }

  export interface Iterator {
    next(done: (error: Error | null | undefined, key?: Buffer, value?: Buffer) => void): void
    end(done: Done): void
  }

  export interface Range {
    readonly gte: Buffer
    readonly lt: Buffer
    /** -1 for no limit. */
    readonly limit?: number
    readonly reverse?: boolean
    readonly values?: boolean
  }

  class LevelDOWN {
    constructor(path: string)
    open(options: { readonly writeBufferSize?: number }, done: Done): void
    close(done: Done): void
    getMany(keys: readonly Buffer[], done: (error: Error | null, values?: (Buffer | undefined)[]) => void): void
    batch(): ChainedBatch
    iterator(range: Range): Iterator
  }

  export default LevelDOWN
}
