import { MillraceError } from '../../model/errors.js'

/** A range scan that holds engine resources until it ends. */
export interface Cursor {
  /** The next entry, or undefined behind the last one. */
  next(): Promise<readonly [key: Buffer, value: Buffer] | undefined>
  /** Frees what the scan holds. */
  end(): Promise<void>
}

/**
 * Lets operations into an open store and none after `close`, which waits for those that run: RocksDB ends the process
 * with SIGSEGV when a closed database is used.
 */
export class OperationGate {
  private readonly running = new Set<Promise<unknown>>()
  private readonly cursors = new Set<Cursor>()
  private lastWrite: Promise<unknown> = Promise.resolve()
  private closing: Promise<void> | undefined

  constructor(private readonly directory: string) {}

  /** @throws MillraceError STORE when the store was closed. */
  requireOpen(): void {
    if (!this.closing) return
    throw new MillraceError('STORE', `The store in "${this.directory}" was used after it was closed.`)
  }

  /** Runs an operation; a failure becomes a MillraceError STORE that names the directory. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.requireOpen()
    const running = operation()
    this.running.add(running)
    try {
      return await running
    } catch (thrown) {
      throw storeError(this.directory, thrown)
    } finally {
      this.running.delete(running)
    }
  }

  /** Runs a write after all writes that were called before it. */
  runInOrder(write: () => Promise<void>): Promise<void> {
    return this.run(() => {
      const turn = this.lastWrite.then(write)
      this.lastWrite = turn.catch(() => undefined)
      return turn
    })
  }

  /** The entries of a cursor, which ends with the iteration, at the latest with the store. */
  async *entries(cursor: Cursor): AsyncGenerator<readonly [key: Buffer, value: Buffer]> {
    try {
      for (;;) {
        const entry = await this.run(() => cursor.next())
        if (!entry) return
        yield entry
      }
    } finally {
      if (this.cursors.delete(cursor)) await cursor.end()
    }
  }

  /** Remembers a cursor, so that `close` ends it when nobody iterates it to its end. */
  register(cursor: Cursor): Cursor {
    this.cursors.add(cursor)
    return cursor
  }

  /** Waits for what runs, ends open cursors, then runs `release`. A second call waits for the first. */
  close(release: () => Promise<void>): Promise<void> {
    this.closing ??= this.drain(release)
    return this.closing
  }

  private async drain(release: () => Promise<void>): Promise<void> {
    await Promise.allSettled(this.running)
    const cursors = [...this.cursors]
    this.cursors.clear()
    for (const cursor of cursors) await cursor.end()
    await release()
  }
}

/** A failure of the engine as the store's error; the engine's own text says which file. */
export function storeError(directory: string, thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  const reason = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const text = reason instanceof Error ? reason.message : String(reason)
  if (/lock hold by|\/LOCK: /.test(text)) {
    return new MillraceError(
      'STORE_IN_USE',
      `The store in "${directory}" is open already, here or in another process (${text}). ` +
        'Stop the other worker, or give each worker a state directory of its own.',
      { cause: thrown },
    )
  }
  return new MillraceError(
    'STORE',
    `The store in "${directory}" failed: ${text}. ` +
      'If its files are damaged, delete the directory: the store is then restored from its changelog.',
    { cause: thrown },
  )
}
