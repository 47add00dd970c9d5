/** A row that waits for its flush: its bytes in the rows topic; a null value deletes it. */
export interface PendingRow {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What a row in memory takes besides its bytes, in bytes: an estimate of the objects around it. */
const ROW_OVERHEAD = 300

/** Rows of one flush by key, the last one of each, with an estimate of the memory that they take. */
export class PendingRows {
  readonly byId = new Map<string, PendingRow>()
  /** Estimate, in bytes. */
  bytes = 0

  get size(): number {
    return this.byId.size
  }

  has(id: string): boolean {
    return this.byId.has(id)
  }

  put(id: string, row: PendingRow): void {
    const former = this.byId.get(id)
    if (former) this.bytes -= bytesOf(former)
    this.bytes += bytesOf(row)
    this.byId.set(id, row)
  }

  /** Puts newer rows over these. */
  putAll(newer: PendingRows): void {
    for (const [id, row] of newer.byId) this.put(id, row)
  }
}

function bytesOf({ key, value }: PendingRow): number {
  return key.length + (value?.length ?? 0) + ROW_OVERHEAD
}

/** The last flushed bytes of rows, to drop what did not change; all are forgotten when they take too much memory. */
export class RememberedRows {
  private rows = new Map<string, Buffer>()
  private bytes = 0

  /** Whether the row was flushed with this value last, as far as it is remembered. */
  has(id: string, value: Buffer): boolean {
    return this.rows.get(id)?.equals(value) === true
  }

  /** Remembers what is flushed, in `atMost` bytes (an estimate). */
  add({ byId, bytes }: PendingRows, atMost: number): void {
    this.bytes += bytes
    if (this.bytes > atMost) {
      this.rows = new Map()
      this.bytes = bytes
    }
    for (const [id, { value }] of byId) {
      if (value === null) this.rows.delete(id)
      else this.rows.set(id, value)
    }
  }
}
