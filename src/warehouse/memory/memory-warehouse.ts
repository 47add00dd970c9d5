import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../model/errors.js'
import type { Flush, RowKey, SinkIdentity, Warehouse, WarehouseSink } from '../../ports/warehouse.js'
import { unstorable, unstorableKey } from '../row/unstorable.js'
import { MemoryRelations, type MemoryRows } from './memory-relations.js'

/** A row of `millrace_offsets`. */
interface SinkState {
  nextOffset: number
  readonly owner: string
  readonly topicId: string | undefined
  readonly tableId: string
  asOf: number | undefined
}

/**
 * A warehouse in maps, for tests of topologies: the protocol of offsets and owners, and the rows that it refuses, are
 * those of PostgreSQL. It lives as long as this object, whatever is closed.
 */
export function memoryWarehouse(): Warehouse {
  const relations = new MemoryRelations()
  const sinks = new Map<string, SinkState>()

  return {
    name: 'the memory warehouse',
    async prepare(spec) {
      relations.prepare(spec)
    },
    unstorable: (table, row) => unstorable(row, table),
    async openSink(identity) {
      const table = relations.rowsOf(identity.table)
      const id = JSON.stringify([identity.sink, identity.partition])
      const known = sinks.get(id)
      const rebuild = known !== undefined && isOutdated(known, table, identity)
      const state: SinkState = {
        nextOffset: rebuild ? 0 : (known?.nextOffset ?? 0),
        owner: randomUUID(),
        topicId: identity.topicId ?? known?.topicId,
        tableId: table.id,
        // Older than any retention, so that whoever opens the sink next begins the rebuild again.
        asOf: rebuild ? 0 : known?.asOf,
      }
      sinks.set(id, state)
      return new MemorySink(identity, table, state, rebuild, () => sinks.get(id) === state)
    },
    async *rows(spec) {
      yield* relations.read(
        spec.name,
        spec.columns.map(({ name }) => name),
      )
    },
    async close() {},
  }
}

function isOutdated(known: SinkState, table: MemoryRows, identity: SinkIdentity): boolean {
  const recreatedTopic =
    (known.topicId !== undefined && identity.topicId !== undefined && known.topicId !== identity.topicId) ||
    known.nextOffset > identity.logEnd
  const lostTombstones = known.asOf !== undefined && identity.now - known.asOf > identity.tombstoneRetentionMs
  return recreatedTopic || lostTombstones || known.tableId !== table.id
}

class MemorySink implements WarehouseSink {
  private closed = false

  constructor(
    private readonly identity: SinkIdentity,
    private readonly table: MemoryRows,
    private readonly state: SinkState,
    readonly rebuild: boolean,
    private readonly isOwner: () => boolean,
  ) {}

  get nextOffset(): number {
    return this.state.nextOffset
  }

  async flush(flush: Flush): Promise<void> {
    const { table: spec, sink, partition } = this.identity
    const who = `Partition ${partition} of sink "${sink}" into the memory warehouse`
    if (this.closed) throw new MillraceError('WAREHOUSE', `${who} was used after it was closed.`)
    const { closed = [] } = flush
    for (const row of [...flush.upserts, ...closed]) {
      const reason = unstorable(row, spec)
      if (reason) throw new MillraceError('WAREHOUSE', `${who} cannot store a row: ${reason}.`)
    }
    if (!this.isOwner()) {
      throw new MillraceError(
        'WAREHOUSE_FENCED',
        `${who} was taken over by another worker. This one must stop writing it.`,
      )
    }
    for (const key of flush.deletes) if (unstorableKey(key, spec) === undefined) this.table.delete(key, spec)
    for (const row of flush.upserts) this.table.upsert(row, spec, this.rebuild)
    for (const row of closed) this.table.close(row, spec)
    this.state.nextOffset = flush.nextOffset
    this.state.asOf = this.rebuild && !flush.endsRebuild ? 0 : flush.asOf
  }

  async *keys(): AsyncIterable<RowKey> {
    yield* this.table.read(this.identity.table.key)
  }

  async close(): Promise<void> {
    this.closed = true
  }
}
