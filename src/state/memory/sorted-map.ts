/** Largest number of entries of a chunk: small enough to shift quickly, large enough to keep few chunks. */
const CHUNK_SIZE = 512

interface Chunk {
  readonly keys: Buffer[]
  readonly values: Buffer[]
  /** A snapshot reads this chunk: a change must replace it by a copy. */
  shared: boolean
}

/**
 * A map from bytes to bytes in unsigned byte order: a sorted list of sorted chunks, so that a lookup is two binary
 * searches, an insertion shifts one chunk, and appending in key order fills chunks to the brim.
 */
export class SortedMap {
  private chunks: Chunk[] = []

  get(key: Buffer): Buffer | undefined {
    const chunk = this.chunks[this.chunkFor(key)]
    if (!chunk) return undefined
    const at = lowerBound(chunk.keys, key)
    return chunk.keys[at]?.equals(key) ? chunk.values[at] : undefined
  }

  set(key: Buffer, value: Buffer): void {
    const last = this.chunks[this.chunks.length - 1]
    if (!last || (last.keys.length === CHUNK_SIZE && Buffer.compare(lastKey(last), key) < 0)) {
      this.chunks.push({ keys: [key], values: [value], shared: false })
      return
    }
    const index = Math.min(this.chunkFor(key), this.chunks.length - 1)
    const chunk = this.own(index)
    const at = lowerBound(chunk.keys, key)
    if (chunk.keys[at]?.equals(key)) {
      chunk.values[at] = value
      return
    }
    chunk.keys.splice(at, 0, key)
    chunk.values.splice(at, 0, value)
    if (chunk.keys.length > CHUNK_SIZE) this.split(index)
  }

  delete(key: Buffer): void {
    const index = this.chunkFor(key)
    const keys = this.chunks[index]?.keys
    if (!keys) return
    const at = lowerBound(keys, key)
    if (keys[at]?.equals(key)) this.remove(index, at, at + 1)
  }

  /** Removes the entries of `[from, to)`. */
  deleteRange(from: Buffer, to: Buffer): void {
    if (Buffer.compare(from, to) >= 0) return
    const first = this.chunkFor(from)
    const last = this.chunkFor(to)
    for (let index = Math.min(last, this.chunks.length - 1); index >= first; index--) {
      const { keys } = this.chunks[index] as Chunk
      this.remove(
        index,
        index === first ? lowerBound(keys, from) : 0,
        index === last ? lowerBound(keys, to) : keys.length,
      )
    }
  }

  /** The entries of `[from, to)` as of now, ascending or in `reverse`; later changes do not show in it. */
  snapshot(from: Buffer, to: Buffer, reverse: boolean): Iterable<readonly [key: Buffer, value: Buffer]> {
    if (Buffer.compare(from, to) >= 0) return []
    const first = this.chunkFor(from)
    const last = this.chunkFor(to)
    const chunks = this.chunks.slice(first, last + 1)
    if (chunks.length === 0) return []
    for (const chunk of chunks) chunk.shared = true
    const start = lowerBound((chunks[0] as Chunk).keys, from)
    const end = lowerBound((chunks[chunks.length - 1] as Chunk).keys, to)
    return reverse ? descending(chunks, start, end) : ascending(chunks, start, end)
  }

  /** Index of the first chunk whose last key is not below `key`: the only one that may hold it. */
  private chunkFor(key: Buffer): number {
    let low = 0
    let high = this.chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare(lastKey(this.chunks[middle] as Chunk), key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The chunk at `index`, replaced by a copy first where a snapshot reads it. */
  private own(index: number): Chunk {
    const chunk = this.chunks[index] as Chunk
    if (!chunk.shared) return chunk
    const copy = { keys: chunk.keys.slice(), values: chunk.values.slice(), shared: false }
    this.chunks[index] = copy
    return copy
  }

  private split(index: number): void {
    const chunk = this.chunks[index] as Chunk
    const middle = chunk.keys.length >>> 1
    const upper = { keys: chunk.keys.splice(middle), values: chunk.values.splice(middle), shared: false }
    this.chunks.splice(index + 1, 0, upper)
  }

  private remove(index: number, start: number, end: number): void {
    if (start >= end) return
    if (end - start === (this.chunks[index] as Chunk).keys.length) {
      this.chunks.splice(index, 1)
      return
    }
    const chunk = this.own(index)
    chunk.keys.splice(start, end - start)
    chunk.values.splice(start, end - start)
  }
}

function lastKey(chunk: Chunk): Buffer {
  return chunk.keys[chunk.keys.length - 1] as Buffer
}

/** Index of the first key that is not below `key`. */
function lowerBound(keys: readonly Buffer[], key: Buffer): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (Buffer.compare(keys[middle] as Buffer, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function* ascending(chunks: readonly Chunk[], start: number, end: number): Generator<readonly [Buffer, Buffer]> {
  for (const [index, { keys, values }] of chunks.entries()) {
    const stop = index === chunks.length - 1 ? end : keys.length
    for (let at = index === 0 ? start : 0; at < stop; at++) yield [keys[at] as Buffer, values[at] as Buffer]
  }
}

function* descending(chunks: readonly Chunk[], start: number, end: number): Generator<readonly [Buffer, Buffer]> {
  for (let index = chunks.length - 1; index >= 0; index--) {
    const { keys, values } = chunks[index] as Chunk
    const stop = index === 0 ? start : 0
    for (let at = (index === chunks.length - 1 ? end : keys.length) - 1; at >= stop; at--) {
      yield [keys[at] as Buffer, values[at] as Buffer]
    }
  }
}
