const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * Murmur2 of the bytes as Kafka's Java client computes it, a signed 32-bit integer.
 * Source: `org.apache.kafka.common.utils.Utils#murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const body = length & ~3
  let h = SEED ^ length
  for (let i = 0; i < body; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const tail = length - body
  if (tail > 2) h ^= (bytes[body + 2] as number) << 16
  if (tail > 1) h ^= (bytes[body + 1] as number) << 8
  if (tail > 0) h = Math.imul(h ^ (bytes[body] as number), M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** The partition that Kafka's default partitioner gives to these key bytes. */
export function partitionFor(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
