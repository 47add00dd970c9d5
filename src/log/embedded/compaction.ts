import type { Store, StoreWrite } from '../../ports/store.js'
import { boundsKey, chunkKey, chunksEnd, lastOffsetOf } from './keys.js'
import type { PartitionState } from './log-storage.js'
import { RecordChunkCursor, RecordChunkWriter } from './record-chunk.js'

const DAY = 86_400_000
/** Chunks rewritten in one atomic write. */
const CHUNKS_A_WRITE = 32

interface StoredChunk {
  readonly key: Buffer
  readonly cursor: RecordChunkCursor
}

async function* chunksUpTo(store: Store, at: PartitionState, end: number): AsyncIterable<StoredChunk> {
  const [from, to] = [chunkKey(at.topic.number, at.partition, 0), chunksEnd(at.topic.number, at.partition)]
  for await (const [key, bytes] of store.range(from, to)) {
    if (lastOffsetOf(key) >= end) return
    yield { key, cursor: new RecordChunkCursor(bytes) }
  }
}

/**
 * Removes records of a compacted topic that a later one of the same key supersedes, and tombstones older than
 * `delete.retention.ms` (Kafka's default: a day). Offsets stay as they are; the last chunk is left alone, so that the
 * end of the partition can be read off it. Records may be appended and read meanwhile.
 */
export async function compact(store: Store, at: PartitionState, now: number, stopped: () => boolean): Promise<void> {
  const end = at.high
  const latest = new Map<string, number>()
  for await (const { cursor } of chunksUpTo(store, at, end)) {
    if (stopped()) return
    for (; cursor.valid; cursor.next()) if (cursor.key) latest.set(cursor.key.toString('latin1'), cursor.offset)
  }
  const tombstonesBefore = now - Number(at.topic.config['delete.retention.ms'] ?? DAY)
  let group: StoredChunk[] = []
  const rewrite = async () => {
    if (group.length > 0) await store.write(rewritten(at, group, latest, tombstonesBefore))
    group = []
  }
  for await (const chunk of chunksUpTo(store, at, end - 1)) {
    if (stopped()) return
    group.push(chunk)
    if (group.length === CHUNKS_A_WRITE) await rewrite()
  }
  await rewrite()
  await saveBounds(store, at, at.low, end)
}

/** The changes that put the records worth keeping of neighbouring chunks into as few chunks as hold them. */
function rewritten(
  at: PartitionState,
  group: readonly StoredChunk[],
  latest: ReadonlyMap<string, number>,
  tombstonesBefore: number,
): StoreWrite[] {
  const changes: StoreWrite[] = group.map(({ key }) => ({ type: 'delete', key }))
  let writer = new RecordChunkWriter()
  const base = (group[0] as StoredChunk).cursor.base
  let appendedAt = 0
  const finish = () => {
    if (writer.count === 0) return
    const { bytes, lastOffset } = writer.finish(base, appendedAt)
    changes.push({ type: 'put', key: chunkKey(at.topic.number, at.partition, lastOffset), value: bytes })
    writer = new RecordChunkWriter()
  }
  for (const { cursor } of group) {
    for (; cursor.valid; cursor.next()) {
      const { key, value, offset } = cursor
      if (key && (latest.get(key.toString('latin1')) as number) > offset) continue
      if (key && value === null && cursor.appendedAt < tombstonesBefore) continue
      writer.add(key, value, cursor.timestamp, cursor.headers, offset - base)
      appendedAt = Math.max(appendedAt, cursor.appendedAt)
      if (writer.full) finish()
    }
  }
  finish()
  return changes
}

/**
 * Removes chunks of a topic with `retention.ms` that were appended longer ago than that. (Kafka judges by record
 * timestamps instead; here event time must not decide, since a catch-up of old events would delete its own input.)
 */
export async function retain(store: Store, at: PartitionState, now: number): Promise<void> {
  const limit = Number(at.topic.config['retention.ms'] ?? -1)
  if (limit < 0) return
  let low = at.low
  for await (const { key, cursor } of chunksUpTo(store, at, at.high)) {
    if (cursor.appendedAt >= now - limit) break
    low = lastOffsetOf(key) + 1
  }
  const cleanedTo = at.high
  if (low > at.low) await saveBounds(store, at, low, cleanedTo)
  at.cleanedTo = cleanedTo
}

async function saveBounds(store: Store, at: PartitionState, low: number, cleanedTo: number): Promise<void> {
  const value = Buffer.alloc(16)
  value.writeDoubleBE(low)
  value.writeDoubleBE(cleanedTo, 8)
  const { number } = at.topic
  const changes: StoreWrite[] = [{ type: 'put', key: boundsKey(number, at.partition), value }]
  if (low > at.low) {
    const [from, to] = [chunkKey(number, at.partition, at.low), chunkKey(number, at.partition, low)]
    changes.push({ type: 'deleteRange', from, to })
  }
  await store.write(changes)
  at.low = low
  at.cleanedTo = cleanedTo
}
