import type { ColumnValue } from '../src/model/column.js'
import { partitionFor } from '../src/model/murmur2.js'
import { type RecordBatch, RecordBatchBuilder } from '../src/model/record-batch.js'
import type { Row, RowKey, TableSpec } from '../src/ports/warehouse.js'
import { Format } from '../src/runtime/internal-value.js'
import type { RowsProgram } from '../src/runtime/sub-topology-program.js'
import { Random } from '../test/runtime/simulation/random.js'

/** Partitions of each rows topic. */
export const PARTITIONS = 4

/** Rows that a warehouse gets, as many in each table. */
export interface LogSize {
  readonly seed: number
  /** Of one table. */
  readonly keys: number
  /** Of one partition of a table. */
  readonly records: number
}

/** One record of a rows topic: an absolute row, or a tombstone. */
interface LogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** Time in ms after which pending rows are flushed: often enough that a kill meets a flush. */
const FLUSH_INTERVAL = 120

/** Share of records that delete their key. */
const TOMBSTONES = 0.1

const START = Date.UTC(2026, 0, 1)
const TEXTS = ['', 'ok', '0', 'it\'s \\ "quoted", \n\t', 'Größe 😀', 'NULL', '\\N']

/** Tables: one with NULL in its keys, one whose closed rows stand apart. */
export const TABLES: readonly TableSpec[] = [table('chaos_minute', false), table('chaos_split', true)]

function table(name: string, split: boolean): TableSpec {
  return {
    name,
    columns: [
      { name: 'quest', type: 'text', nullable: !split },
      { name: 'window_start', type: 'timestamp', nullable: false },
      { name: 'events', type: 'long', nullable: false },
      { name: 'gold', type: 'double', nullable: true },
      { name: 'note', type: 'text', nullable: true },
      { name: 'last_at', type: 'timestamp', nullable: true },
    ],
    key: ['quest', 'window_start'],
    sortKey: ['window_start'],
    split,
  }
}

/** How the records of a table become its rows. */
export function programOf(table: TableSpec): RowsProgram {
  return {
    kind: 'rows',
    topic: `chaos-${table.name}-rows`,
    topicId: `the topic of ${table.name}`,
    partitions: PARTITIONS,
    table,
    visibleWithin: 1_000,
    freshness: 2 * FLUSH_INTERVAL,
    row: (key, value) => [...keyOf(key), ...measuresOf(Number(value.toString('latin1', 1)))],
    rowKey: keyOf,
    keyBytes: keyBytes,
  }
}

function keyBytes([quest, start]: RowKey): Buffer {
  return Buffer.from(JSON.stringify([quest, (start as Date).getTime()]))
}

function keyOf(bytes: Buffer): [string | null, Date] {
  const [quest, start] = JSON.parse(bytes.toString()) as [string | null, number]
  return [quest, new Date(start)]
}

/** Every measure says which version of the row it is of, so that a row is wrong wherever an older one stands. */
function measuresOf(version: number): ColumnValue[] {
  return [
    version,
    version % 7 === 0 ? null : version / 8,
    version % 5 === 0 ? null : `${TEXTS[version % TEXTS.length]}${version}`,
    version % 3 === 0 ? null : new Date(START + version),
  ]
}

/** The rows topic of a table, the same for everybody with the same seed. */
export class RowLog {
  private readonly partitions: readonly (readonly LogRecord[])[]
  /** All keys that its records have. */
  readonly keys: ReadonlyMap<string, RowKey>
  /** The row that is to stand for each key at the end. */
  readonly rows: ReadonlyMap<string, Row>

  constructor(
    readonly table: TableSpec,
    { seed, keys: keyCount, records: recordCount }: LogSize,
  ) {
    const program = programOf(table)
    const random = new Random(seed + table.name.length)
    const keysOf: Buffer[][] = Array.from({ length: PARTITIONS }, () => [])
    for (let index = 0; index < keyCount; index++) {
      const quest = index % 50 === 0 && !table.split ? null : `quest ${index % 50}`
      const key = keyBytes([quest, new Date(START + Math.floor(index / 50) * 60_000)])
      keysOf[partitionFor(key, PARTITIONS)]?.push(key)
    }
    const rows = new Map<string, Row>()
    const seen = new Map<string, RowKey>()
    this.partitions = keysOf.map(keys => {
      const drawn = Array.from({ length: recordCount }, () => keys[random.below(keys.length)] as Buffer)
      const last = new Map(drawn.map((key, offset) => [key, offset]))
      return drawn.map((key, offset) => {
        const id = key.toString()
        const isLast = last.get(key) === offset
        const closes = table.split === true && isLast && random.below(2) === 0
        const deleted = !closes && random.next() < TOMBSTONES
        const value = deleted
          ? null
          : Buffer.from(`${String.fromCharCode(closes ? Format.rowClosed : Format.row)}${offset}`)
        seen.set(id, keyOf(key))
        if (value === null) rows.delete(id)
        else rows.set(id, program.row(key, value))
        return { key, value }
      })
    })
    this.rows = rows
    this.keys = seen
  }

  /** Records of a partition from an offset to before another; undefined where there is none. */
  read(partition: number, from: number, to: number): RecordBatch | undefined {
    const builder = new RecordBatchBuilder(programOf(this.table).topic, partition)
    const records = this.partitions[partition] ?? []
    for (let offset = from; offset < Math.min(to, records.length); offset++) {
      const { key, value } = records[offset] as LogRecord
      builder.add(offset, START + offset, key, value)
    }
    return builder.count === 0 ? undefined : builder.build()
  }
}

/** The id of a row's key, as `RowLog` has it. */
export function rowId(row: Row): string {
  return keyBytes(row.slice(0, 2)).toString()
}
