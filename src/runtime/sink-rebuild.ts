import { partitionFor } from '../model/murmur2.js'
import type { WarehouseSink } from '../ports/warehouse.js'
import type { PendingRow } from './pending-rows.js'
import type { RowsProgram } from './sub-topology-program.js'

/** A sink partition that is read from its topic's start: rows of the table that the topic does not hold are deleted then. */
export class SinkRebuild {
  private readonly seen = new Set<string>()
  /** The rows that were not seen are among those that wait: the flush that carries them ends the rebuild. */
  ending = false

  constructor(
    private readonly program: RowsProgram,
    private readonly partition: number,
    /** Offset behind the last record when the sink was opened. */
    private readonly until: number,
  ) {}

  saw(id: string): void {
    this.seen.add(id)
  }

  /** All of the topic was read up to `nextOffset`, and it is time to look what was not seen. */
  scanDue(nextOffset: number): boolean {
    return !this.ending && nextOffset >= this.until
  }

  /** Deletions of this partition's rows that the topic does not hold, by id. What arrives during the scan is there after all. */
  async unseen(sink: WarehouseSink): Promise<ReadonlyMap<string, PendingRow>> {
    const unseen = new Map<string, PendingRow>()
    for await (const rowKey of sink.keys()) {
      const key = this.program.keyBytes(rowKey)
      const own = partitionFor(key, this.program.partitions) === this.partition
      if (own) unseen.set(key.toString('latin1'), { key, value: null })
    }
    for (const id of this.seen) unseen.delete(id)
    this.ending = true
    return unseen
  }
}
