/** One change of a store's batch. Ranges are `[from, to)` in unsigned byte order. */
export type StoreWrite =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'delete'; readonly key: Buffer }
  | { readonly type: 'deleteRange'; readonly from: Buffer; readonly to: Buffer }

/** Limits of a range scan. */
export interface RangeOptions {
  /** Largest number of entries; default no limit. */
  readonly limit?: number
  /** From the end of the range to its start; default false. */
  readonly reverse?: boolean
}

/**
 * Ordered bytes to bytes, durable where the engine is. Keys have at least one byte. Writes apply in the order of their
 * calls. No call after `close`, which waits for running calls and ends open ranges.
 */
export interface Store {
  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>
  /**
   * Entries of `[from, to)` in unsigned byte order of their keys, as of the call. To be iterated once; one that never is
   * holds its snapshot until `close`.
   */
  range(from: Buffer, to: Buffer, options?: RangeOptions): AsyncIterable<readonly [key: Buffer, value: Buffer]>
  /** Applies all changes in order, or none of them. Survives a crash of the process once it resolved. */
  write(batch: readonly StoreWrite[]): Promise<void>
  /** Bytes on disk as of now, roughly: files come and go. 0 where nothing is on disk. */
  sizeOnDisk(): Promise<number>
  close(): Promise<void>
}

/** Opens and removes stores, one a directory. */
export interface StoreEngine {
  /** `rocksdb-native`, `rocksdb` or `memory`; written into a store's directory, since engines cannot read each other's files. */
  readonly name: string
  /**
   * @throws MillraceError STORE_IN_USE when another process holds the directory; STORE_ENGINE when another engine wrote
   * it or the engine cannot run here; STORE when it cannot be opened or is damaged.
   */
  open(directory: string): Promise<Store>
  /** Deletes a closed store. */
  destroy(directory: string): Promise<void>
}
