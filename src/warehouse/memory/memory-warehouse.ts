import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../model/errors.js'
import type { Flush, RowKey, SinkIdentity, TableSpec, Warehouse, WarehouseSink } from '../../ports/warehouse.js'
import { unstorable, unstorableKey } from '../row/unstorable.js'
import { MemoryTable } from './memory-table.js'

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
  const tables = new Map<string, MemoryTable>()
  const sinks = new Map<string, SinkState>()
  const tableOf = ({ name }: TableSpec) => {
    const table = tables.get(name)
    if (table) return table
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `Table "${name}" does not exist in the memory warehouse. Prepare it first.`,
    )
  }

  return {
    name: 'the memory warehouse',
    async prepare(spec) {
      const table = tables.get(spec.name)
      if (table) table.adopt(spec)
      else tables.set(spec.name, new MemoryTable(spec))
    },
    unstorable: (table, row) => unstorable(row, table),
    async openSink(identity) {
      const table = tableOf(identity.table)
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
      yield* tableOf(spec).read(spec.columns.map(({ name }) => name))
    },
    async close() {},
  }
}

function isOutdated(known: SinkState, table: MemoryTable, identity: SinkIdentity): boolean {
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
    private readonly table: MemoryTable,
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
    for (const row of flush.upserts) {
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
    for (const row of flush.upserts) this.table.upsert(row, spec)
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
