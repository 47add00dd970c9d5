import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { MillraceError } from '../src/model/errors.js'
import type { Flush, SinkIdentity, Warehouse, WarehouseSink } from '../src/ports/warehouse.js'

const OF_SINK = 'WHERE sink = $1 AND "partition" = $2'

/** Of what others come in between of. */
const ATTEMPTS = 20

/**
 * A warehouse whose check of owner and offset is switched off: before each flush the offsets table is made to say what the
 * flush wants to see, and behind it the offset never goes back. A writer that was taken over goes on writing.
 * @param url Of the same database.
 */
export function unfencedWarehouse(warehouse: Warehouse, url: string): Warehouse {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => undefined)
  return {
    name: `${warehouse.name} without fencing`,
    prepare: table => warehouse.prepare(table),
    unstorable: (table, row) => warehouse.unstorable(table, row),
    openSink: async identity => {
      const sink = await warehouse.openSink(identity)
      const { owner } = await entry(pool, identity)
      return new UnfencedSink(sink, pool, identity, owner)
    },
    rows: table => warehouse.rows(table),
    close: async () => {
      await pool.end()
      await warehouse.close()
    },
  }
}

/** Runs one statement, again after a serializable isolation violation. */
async function query<R extends pg.QueryResultRow>(
  pool: pg.Pool,
  sql: string,
  values: unknown[],
): Promise<pg.QueryResult<R>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.query<R>(sql, values)
    } catch (thrown) {
      const conflict = thrown instanceof Error && thrown.message === '1023'
      if (!conflict || attempt === ATTEMPTS) throw thrown
      await sleep(Math.random() * 50)
    }
  }
}

async function entry(pool: pg.Pool, { sink, partition }: SinkIdentity): Promise<Entry> {
  const read = `SELECT owner, next_offset::int AS "nextoffset" FROM millrace_offsets ${OF_SINK}`
  const { rows } = await query<Entry>(pool, read, [sink, partition])
  if (!rows[0]) throw new Error(`no offset of ${sink}/${partition}`)
  return rows[0]
}

interface Entry {
  readonly owner: string
  readonly nextoffset: number
}

class UnfencedSink implements WarehouseSink {
  constructor(
    private readonly sink: WarehouseSink,
    private readonly pool: pg.Pool,
    private readonly identity: SinkIdentity,
    private readonly owner: string,
  ) {}

  get nextOffset(): number {
    return this.sink.nextOffset
  }

  get rebuild(): boolean {
    return this.sink.rebuild
  }

  async flush(flush: Flush): Promise<void> {
    const sink = [this.identity.sink, this.identity.partition]
    const before = await entry(this.pool, this.identity)
    await this.flushAnyway(flush, sink)
    const forward = `UPDATE millrace_offsets SET next_offset = $3 ${OF_SINK} AND next_offset < $3`
    await query(this.pool, forward, [...sink, before.nextoffset])
  }

  /** Again where another writer pretended the same in between. */
  private async flushAnyway(flush: Flush, sink: readonly unknown[]): Promise<void> {
    const pretend = `UPDATE millrace_offsets SET owner = $3, next_offset = $4 ${OF_SINK}`
    for (let attempt = 1; ; attempt++) {
      await query(this.pool, pretend, [...sink, this.owner, this.sink.nextOffset])
      try {
        return await this.sink.flush(flush)
      } catch (thrown) {
        const fenced = thrown instanceof MillraceError && thrown.code === 'WAREHOUSE_FENCED'
        if (!fenced || attempt === ATTEMPTS) throw thrown
      }
    }
  }

  keys() {
    return this.sink.keys()
  }

  close(): Promise<void> {
    return this.sink.close()
  }
}
