import { keyBytesAt, type RecordBatch, valueBytesAt } from '../model/record-batch.js'
import type { TopicPartition } from '../model/topic-partition.js'
import type { Log } from '../ports/log.js'
import type { Store, StoreWrite } from '../ports/store.js'
import type { WindowTable } from './window-table.js'

/** Key in the store of the position up to which it stands for a changelog. */
function positionKey(changelog: string): Buffer {
  return Buffer.from(`m${changelog}`)
}

/** Up to where a store stands for a changelog, and when that was so. */
export interface ChangelogPosition {
  readonly offset: number
  /** Ms since 1970. */
  readonly at: number
}

/** The entry that notes a store's position. */
export function positionWrite(changelog: string, position: ChangelogPosition): StoreWrite {
  return { type: 'put', key: positionKey(changelog), value: Buffer.from(JSON.stringify(position)) }
}

/** The position of a store; undefined for one that knows nothing of the changelog. */
export async function readPosition(store: Store, changelog: string): Promise<ChangelogPosition | undefined> {
  const [value] = await store.getMany([positionKey(changelog)])
  return value === undefined ? undefined : (JSON.parse(value.toString()) as ChangelogPosition)
}

/**
 * What a store lacks of one changelog partition: the tail behind its position, or all of it. Replaying records that the
 * store has already is harmless, since they are absolute.
 */
export class ChangelogTail {
  /** Offsets read so far; those of records that are gone or were never committed count, too. */
  done = 0
  /** Records read. */
  records = 0

  private constructor(
    private readonly log: Log,
    private readonly at: TopicPartition,
    private readonly from: number,
    private readonly to: number,
    private readonly table: WindowTable,
    private readonly store: Store,
  ) {}

  /** The tail up to the high watermark of now. */
  static async of(log: Log, at: TopicPartition, table: WindowTable, store: Store): Promise<ChangelogTail> {
    const { low, high } = await log.watermarks(at)
    const from = Math.max(low, (await readPosition(store, at.topic))?.offset ?? low)
    return new ChangelogTail(log, at, from, high, table, store)
  }

  /** Offsets to read. */
  get total(): number {
    return this.to - this.from
  }

  /**
   * Writes the tail into the store, and stands still after each batch of records. Every batch notes how far the store is, so
   * that a restore which is given up need not begin again. A batch is written while the next one is read.
   */
  async *replay(now: () => number): AsyncGenerator<void> {
    let writing: Promise<void> | undefined
    const write = async (writes: readonly StoreWrite[], offset: number): Promise<void> => {
      await writing
      writing = this.store.write([...writes, positionWrite(this.at.topic, { offset, at: now() })])
      // Whoever waits for it next sees the failure.
      writing.catch(() => undefined)
    }
    try {
      for await (const batch of this.log.read(this.at, this.from, this.to)) {
        if (batch.count > 0) {
          const next = (batch.offsets[batch.count - 1] as number) + 1
          await write(this.writesOf(batch), next)
          this.records += batch.count
          this.done = next - this.from
        }
        yield
      }
      await write([], this.to)
      this.done = this.total
    } finally {
      await writing
    }
  }

  private writesOf(batch: RecordBatch): StoreWrite[] {
    const writes: StoreWrite[] = []
    for (let i = 0; i < batch.count; i++) {
      const key = this.table.storeKeyOf(keyBytesAt(batch, i) as Buffer)
      const value = valueBytesAt(batch, i)
      writes.push(value === null ? { type: 'delete', key } : { type: 'put', key, value })
    }
    return writes
  }
}
