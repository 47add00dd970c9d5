import { randomUUID } from 'node:crypto'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { Flush, RowKey, SinkIdentity, WarehouseSink } from '../../ports/warehouse.js'
import { keyColumns } from '../row/row-key.js'
import type { SqlDatabase, TableLocation } from './dialect.js'
import type { SqlSession } from './session.js'
import { fromTexts, locate, selectList, tableId } from './table.js'
import { transaction, UnknownOutcome } from './transaction.js'

/** `as_of` of a sink that is being rebuilt: older than any retention, so that whoever opens it next begins the rebuild again. */
const NEVER = 0

const OF_THIS_SINK = 'sink = $1::text AND "partition" = ($2::text)::integer'

/**
 * Takes a sink partition over: whoever owned it is fenced from now on.
 * @throws MillraceError WAREHOUSE_TABLE when the table does not exist (`prepare` creates it).
 */
export async function openSqlSink(database: SqlDatabase, identity: SinkIdentity): Promise<WarehouseSink> {
  const { dialect } = database
  const owner = randomUUID()
  const at = await database.session(async session => {
    const found = await locate(session, dialect, identity.table.name)
    await existingId(session, found, database, identity)
    return found
  })
  return transaction(database, async session => {
    const sink = [identity.sink, String(identity.partition)] as const
    await dialect.lockOffsets(session, at)
    await dialect.insertOffset(session, at, sink)
    const table = await existingId(session, at, database, identity)
    const { rows } = await session.query(
      `SELECT next_offset::text, topic_id, table_id, ${dialect.textExpression('as_of', 'timestamp')} FROM ${at.offsets}
       WHERE ${OF_THIS_SINK} ${dialect.lockRow}`,
      sink,
    )
    const [nextOffset, topicId, knownTable, asOfText] = rows[0] as (string | null)[]
    const asOf = dialect.fromText(asOfText ?? null, 'timestamp')
    const rebuild =
      changed(topicId, identity.topicId) ||
      Number(nextOffset) > identity.logEnd ||
      changed(knownTable, table) ||
      (asOf instanceof Date && identity.now - asOf.getTime() > identity.tombstoneRetentionMs)
    await session.query(
      `UPDATE ${at.offsets} SET owner = $3::text, epoch = epoch + 1, next_offset = ($4::text)::bigint,
         topic_id = coalesce($5::text, topic_id), table_id = $6::text, as_of = ($7::text)::timestamptz
       WHERE ${OF_THIS_SINK}`,
      [
        ...sink,
        owner,
        rebuild ? '0' : (nextOffset as string),
        identity.topicId ?? null,
        table,
        dialect.toText(rebuild ? new Date(NEVER) : asOf),
      ],
    )
    return new SqlSink(database, identity, at, owner, rebuild ? 0 : Number(nextOffset), rebuild)
  })
}

async function existingId(
  session: SqlSession,
  at: TableLocation,
  database: SqlDatabase,
  { table }: SinkIdentity,
): Promise<string> {
  const id = await tableId(session, database.dialect, at, table)
  if (id) return id
  throw new MillraceError('WAREHOUSE_TABLE', `Table ${at.sql} does not exist in ${database.name}. Prepare it first.`)
}

function changed(known: string | null | undefined, current: string | undefined): boolean {
  return known != null && current !== undefined && known !== current
}

class SqlSink implements WarehouseSink {
  private closed = false
  /** The offset of a flush whose COMMIT nobody could ask after yet. */
  private unknownOffset: number | undefined
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly database: SqlDatabase,
    private readonly identity: SinkIdentity,
    private readonly at: TableLocation,
    private readonly owner: string,
    private offset: number,
    readonly rebuild: boolean,
  ) {}

  get nextOffset(): number {
    return this.offset
  }

  flush(flush: Flush): Promise<void> {
    const turn = this.last.then(() => this.flushNow(flush))
    this.last = turn.catch(() => undefined)
    return turn
  }

  private async flushNow(flush: Flush): Promise<void> {
    if (this.closed) throw new MillraceError('WAREHOUSE', `${this.description()} was used after it was closed.`)
    const { table } = this.identity
    const { dialect } = this.database
    for (const row of [...flush.upserts, ...(flush.closed ?? [])]) {
      const reason = dialect.unstorable(row, table)
      if (reason) throw new MillraceError('WAREHOUSE', `${this.description()} cannot store a row: ${reason}.`)
    }
    // A row that cannot be stored was never there, so it need not be deleted.
    const deletes = flush.deletes.filter(key => dialect.unstorableKey(key, table) === undefined)
    try {
      await this.resolveUnknown()
      await this.write({ ...flush, deletes })
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  private async write(flush: Flush): Promise<void> {
    const { dialect } = this.database
    const { table, sink, partition } = this.identity
    const asOf = this.rebuild && !flush.endsRebuild ? NEVER : flush.asOf
    const { at, owner, rebuild } = this
    const load = await dialect.load({ at, table, flush, rebuild, sink, partition, owner })
    try {
      await transaction(this.database, async session => {
        await dialect.lockOffsets(session, this.at)
        const { affected } = await session.query(
          `UPDATE ${this.at.offsets} SET next_offset = ($3::text)::bigint, as_of = ($4::text)::timestamptz
           WHERE ${OF_THIS_SINK} AND owner = $5::text AND next_offset = ($6::text)::bigint`,
          [...this.key(), String(flush.nextOffset), dialect.toText(new Date(asOf)), this.owner, String(this.offset)],
        )
        if (affected !== 1) throw this.fenced()
        await load.write(session)
      })
    } catch (thrown) {
      if (!(thrown instanceof UnknownOutcome)) throw thrown
      this.unknownOffset = flush.nextOffset
      await this.resolveUnknown()
      if (this.offset !== flush.nextOffset) throw thrown.cause
    } finally {
      await load.close()
    }
    this.offset = flush.nextOffset
  }

  /** Learns whether a flush was committed. The lock makes this wait for its transaction where it still runs. */
  private async resolveUnknown(): Promise<void> {
    if (this.unknownOffset === undefined) return
    const { dialect } = this.database
    const read = `SELECT next_offset::text, owner FROM ${this.at.offsets} WHERE ${OF_THIS_SINK} ${dialect.lockRow}`
    const { rows } = await transaction(this.database, async session => {
      await dialect.lockOffsets(session, this.at)
      return session.query(read, this.key())
    })
    const [offset, owner] = rows[0] ?? []
    if (owner !== this.owner) throw this.fenced()
    if (Number(offset) === this.unknownOffset) this.offset = this.unknownOffset
    this.unknownOffset = undefined
  }

  async *keys(): AsyncIterable<RowKey> {
    const columns = keyColumns(this.identity.table)
    const { dialect } = this.database
    try {
      for await (const texts of this.database.select(`SELECT ${selectList(dialect, columns)} FROM ${this.at.sql}`)) {
        yield fromTexts(dialect, texts, columns)
      }
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  async close(): Promise<void> {
    await this.last
    this.closed = true
  }

  private key(): string[] {
    return [this.identity.sink, String(this.identity.partition)]
  }

  private description(): string {
    return `Partition ${this.identity.partition} of sink "${this.identity.sink}" into ${this.database.name}`
  }

  private fenced(): MillraceError {
    return new MillraceError(
      'WAREHOUSE_FENCED',
      `${this.description()} was taken over by another worker. This one must stop writing it; nothing of its last flush was kept.`,
    )
  }

  private failure(thrown: unknown): MillraceError {
    if (thrown instanceof MillraceError) return thrown
    const unknown = this.unknownOffset !== undefined
    const outcome = unknown ? 'whether it was written shows when the flush is repeated' : 'nothing was written'
    const reason = thrown instanceof UnknownOutcome ? messageOf(thrown.cause) : messageOf(thrown)
    return new MillraceError('WAREHOUSE', `${this.description()} failed: ${reason}; ${outcome}.`, { cause: thrown })
  }
}
