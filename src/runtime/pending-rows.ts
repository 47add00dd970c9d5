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

/**
 * The last flushed bytes of rows, to drop what did not change: those that were flushed or asked for of late. What takes too
 * much memory is forgotten, the one that was of no use for the longest time first (LRU).
 */
export class RememberedRows {
  /** In the order of their last use. */
  private readonly rows = new Map<string, { readonly value: Buffer; readonly bytes: number }>()
  private bytes = 0

  /** Whether the row was flushed with this value last, as far as it is remembered. */
  has(id: string, value: Buffer): boolean {
    const row = this.rows.get(id)
    if (row === undefined) return false
    this.rows.delete(id)
    this.rows.set(id, row)
    return row.value.equals(value)
  }

  /** Remembers what is flushed, in `atMost` bytes (an estimate). */
  add({ byId }: PendingRows, atMost: number): void {
    for (const [id, row] of byId) {
      this.forget(id)
      if (row.value === null) continue
      const bytes = bytesOf(row)
      this.rows.set(id, { value: row.value, bytes })
      this.bytes += bytes
    }
    for (const id of this.rows.keys()) {
      if (this.bytes <= atMost) return
      this.forget(id)
    }
  }

  private forget(id: string): void {
    this.bytes -= this.rows.get(id)?.bytes ?? 0
    this.rows.delete(id)
  }
}
