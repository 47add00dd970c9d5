import type { TopicPartition } from '../../model/topic-partition.js'

/** First byte of each kind of entry of the embedded log's store. */
const TOPIC = 0x01
const OFFSET = 0x02
const BOUNDS = 0x03
const CHUNK = 0x04

const CHUNK_KEY_LENGTH = 17

function text(kind: number, ...parts: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from([kind]), Buffer.from(parts.map(part => `${part}\0`).join(''))])
}

/** Key of a topic's description. */
export function topicKey(name: string): Buffer {
  return text(TOPIC, name)
}

/** The range of all topic descriptions. */
export const TOPIC_RANGE = [Buffer.from([TOPIC]), Buffer.from([TOPIC + 1])] as const

/** Key of a group's committed offset of a partition. */
export function committedKey(group: string, at: TopicPartition): Buffer {
  return text(OFFSET, group, at.topic, String(at.partition))
}

/** Key of a partition's first offset and of the offset up to which it is compacted. */
export function boundsKey(topicNumber: number, partition: number): Buffer {
  const key = Buffer.alloc(9)
  key[0] = BOUNDS
  key.writeUInt32BE(topicNumber, 1)
  key.writeUInt32BE(partition, 5)
  return key
}

/**
 * Key of a chunk: topic, partition and the offset of its *last* record, big-endian, so that the first key at or behind
 * (topic, partition, x) is the chunk that holds x, or the next one where x is gone.
 */
export function chunkKey(topicNumber: number, partition: number, lastOffset: number): Buffer {
  const key = Buffer.alloc(CHUNK_KEY_LENGTH)
  key[0] = CHUNK
  key.writeUInt32BE(topicNumber, 1)
  key.writeUInt32BE(partition, 5)
  key.writeBigUInt64BE(BigInt(lastOffset), 9)
  return key
}

/** Offset of the last record of the chunk with this key. */
export function lastOffsetOf(key: Buffer): number {
  return Number(key.readBigUInt64BE(9))
}

/** The key behind all chunks of a partition. */
export function chunksEnd(topicNumber: number, partition: number): Buffer {
  const key = Buffer.alloc(9)
  key[0] = CHUNK
  key.writeUInt32BE(topicNumber, 1)
  key.writeUInt32BE(partition + 1, 5)
  return key
}
