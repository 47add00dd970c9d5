import { keyBytesAt, valueBytesAt } from '../model/record-batch.js'
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
 * Brings a store up to the changelog's end: reads the tail behind its position, or all of it. Replaying records that
 * the store has already is harmless, since they are absolute. Answers the number of records read.
 */
export async function restoreTable(
  log: Log,
  changelog: string,
  partition: number,
  table: WindowTable,
  store: Store,
  now: number,
): Promise<number> {
  const at = { topic: changelog, partition }
  const { low, high } = await log.watermarks(at)
  const from = Math.max(low, (await readPosition(store, changelog))?.offset ?? low)
  let records = 0
  for await (const batch of log.read(at, from, high)) {
    const writes: StoreWrite[] = []
    for (let i = 0; i < batch.count; i++) {
      const key = table.storeKeyOf(keyBytesAt(batch, i) as Buffer)
      const value = valueBytesAt(batch, i)
      writes.push(value === null ? { type: 'delete', key } : { type: 'put', key, value })
    }
    records += batch.count
    await store.write(writes)
  }
  await store.write([positionWrite(changelog, { offset: high, at: now })])
  return records
}
