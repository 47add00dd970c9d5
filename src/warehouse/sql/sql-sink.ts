import { randomUUID } from 'node:crypto'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { Flush, RowKey, SinkIdentity, WarehouseSink } from '../../ports/warehouse.js'
import { keyColumns } from '../row/row-key.js'
import { unstorable, unstorableKey } from '../row/unstorable.js'
import { deleteRows, upsertRows } from './change-rows.js'
import type { SqlDatabase } from './database.js'
import { quoteIdentifier } from './identifier.js'
import { fromSqlTexts, textExpression, toSqlText } from './sql-type.js'
import { locate, type TableLocation, tableId } from './table.js'
import { transaction, UnknownOutcome } from './transaction.js'

/** `as_of` of a sink that is being rebuilt: older than any retention, so that whoever opens it next begins the rebuild again. */
const NEVER = 0

const OF_THIS_SINK = 'sink = $1::text AND "partition" = ($2::text)::integer'

/**
 * Takes a sink partition over: whoever owned it is fenced from now on.
 * @throws MillraceError WAREHOUSE_TABLE when the table does not exist (`prepare` creates it).
 */
export async function openSqlSink(database: SqlDatabase, identity: SinkIdentity): Promise<WarehouseSink> {
  const owner = randomUUID()
  return transaction(database, async session => {
    const at = await locate(session, identity.table.name)
    const table = await tableId(session, at)
    if (!table) {
      throw new MillraceError(
        'WAREHOUSE_TABLE',
        `Table ${at.sql} does not exist in ${database.name}. Prepare it first.`,
      )
    }
    const sink = [identity.sink, String(identity.partition)]
    await session.query(
      `INSERT INTO ${at.offsets} (sink, "partition", next_offset, owner, epoch)
       VALUES ($1::text, ($2::text)::integer, 0, '', 0) ON CONFLICT DO NOTHING`,
      sink,
    )
    const { rows } = await session.query(
      `SELECT next_offset::text, topic_id, table_id, ${textExpression('as_of', 'timestamp')} FROM ${at.offsets}
       WHERE ${OF_THIS_SINK} FOR UPDATE`,
      sink,
    )
    const [nextOffset, topicId, knownTable, asOf] = rows[0] as (string | null)[]
    const rebuild =
      changed(topicId, identity.topicId) ||
      Number(nextOffset) > identity.logEnd ||
      changed(knownTable, table) ||
      (asOf != null && identity.now - Number(asOf) > identity.tombstoneRetentionMs)
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
        toSqlText(rebuild ? new Date(NEVER) : asOf == null ? null : new Date(Number(asOf))),
      ],
    )
    return new SqlSink(database, identity, at, owner, rebuild ? 0 : Number(nextOffset), rebuild)
  })
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
    for (const row of flush.upserts) {
      const reason = unstorable(row, table)
      if (reason) throw new MillraceError('WAREHOUSE', `${this.description()} cannot store a row: ${reason}.`)
    }
    // A row that cannot be stored was never there, so it need not be deleted.
    const deletes = flush.deletes.filter(key => unstorableKey(key, table) === undefined)
    try {
      await this.resolveUnknown()
      await this.write({ ...flush, deletes })
    } catch (thrown) {
      throw this.failure(thrown)
    }
  }

  private async write(flush: Flush): Promise<void> {
    const { table } = this.identity
    const asOf = this.rebuild && !flush.endsRebuild ? NEVER : flush.asOf
    try {
      await transaction(this.database, async session => {
        const { affected } = await session.query(
          `UPDATE ${this.at.offsets} SET next_offset = ($3::text)::bigint, as_of = ($4::text)::timestamptz
           WHERE ${OF_THIS_SINK} AND owner = $5::text AND next_offset = ($6::text)::bigint`,
          [...this.key(), String(flush.nextOffset), toSqlText(new Date(asOf)), this.owner, String(this.offset)],
        )
        if (affected !== 1) throw this.fenced()
        await deleteRows(session, this.at, table, flush.deletes)
        await upsertRows(session, this.at, table, flush.upserts)
      })
    } catch (thrown) {
      if (!(thrown instanceof UnknownOutcome)) throw thrown
      this.unknownOffset = flush.nextOffset
      await this.resolveUnknown()
      if (this.offset !== flush.nextOffset) throw thrown.cause
    }
    this.offset = flush.nextOffset
  }

  /** Learns whether a flush was committed. The row's lock makes this wait for its transaction where it still runs. */
  private async resolveUnknown(): Promise<void> {
    if (this.unknownOffset === undefined) return
    const read = `SELECT next_offset::text, owner FROM ${this.at.offsets} WHERE ${OF_THIS_SINK} FOR UPDATE`
    const { rows } = await transaction(this.database, session => session.query(read, this.key()))
    const [offset, owner] = rows[0] ?? []
    if (owner !== this.owner) throw this.fenced()
    if (Number(offset) === this.unknownOffset) this.offset = this.unknownOffset
    this.unknownOffset = undefined
  }

  async *keys(): AsyncIterable<RowKey> {
    const columns = keyColumns(this.identity.table)
    const selected = columns.map(({ name, type }) => textExpression(quoteIdentifier(name), type)).join(', ')
    try {
      for await (const texts of this.database.select(`SELECT ${selected} FROM ${this.at.sql}`)) {
        yield fromSqlTexts(texts, columns)
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
