import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Column, ColumnType, ColumnValue } from '../../src/model/column.js'
import type { Flush, Row, RowKey, SinkIdentity, TableSpec, Warehouse } from '../../src/ports/warehouse.js'
import { keyColumns, keyIdentity, keyOf } from '../../src/warehouse/row/row-key.js'
import { splitContract } from './split-contract.js'

const DAY = 86_400_000
export const NOW = Date.UTC(2026, 0, 15)

const column = (name: string, type: ColumnType, nullable = false): Column => ({ name, type, nullable })

export function tableSpec(name: string, columns: readonly Column[], key: readonly string[]): TableSpec {
  return { name, columns, key, sortKey: [] }
}

/** `quest_type` and `window_start` are the key, `gold` may be null. */
export function questTable(name: string): TableSpec {
  return tableSpec(
    name,
    [
      column('quest_type', 'text'),
      column('window_start', 'timestamp'),
      column('events', 'long'),
      column('gold', 'long', true),
    ],
    ['quest_type', 'window_start'],
  )
}

export function identityOf(table: TableSpec, changes: Partial<SinkIdentity> = {}): SinkIdentity {
  return {
    sink: `${table.name}-rows`,
    partition: 0,
    table,
    topicId: 'topic-1',
    tombstoneRetentionMs: DAY,
    logEnd: Number.MAX_SAFE_INTEGER,
    now: NOW,
    ...changes,
  }
}

export function flushOf(nextOffset: number, upserts: readonly Row[], deletes: readonly RowKey[] = []): Flush {
  return { upserts, deletes, nextOffset, asOf: NOW }
}

/** All rows of a table, sorted by their key's text. */
export async function allRows(warehouse: Warehouse, table: TableSpec): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of warehouse.rows(table)) rows.push(row)
  const columns = keyColumns(table)
  return rows.sort((a, b) => (keyIdentity(keyOf(a, table), columns) < keyIdentity(keyOf(b, table), columns) ? -1 : 1))
}

const quest = (type: string, minute: number, events: number, gold: number | null = null): Row => [
  type,
  new Date(NOW + minute * 60_000),
  events,
  gold,
]
const questKey = (type: string, minute: number): RowKey => [type, new Date(NOW + minute * 60_000)]

const EDGES: Readonly<Record<ColumnType, readonly ColumnValue[]>> = {
  int: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  long: [0, -1, Number.MAX_SAFE_INTEGER, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), Number.MIN_SAFE_INTEGER],
  decimal: [0, -7, 10n ** 38n - 1n, -(10n ** 38n) + 1n, 2n ** 53n + 1n],
  double: [0, -0, 0.1, 1e21, -1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53 + 2, Number.NaN, Infinity, -Infinity],
  text: [
    '',
    ' ',
    'null',
    'NULL',
    '\\N',
    '\\.',
    'a\tb\nc\rd\be\ff\vg',
    '"quoted", {braces} \\',
    "it's; --",
    '🐎 ñ 漢',
    '\u200b\x7f\x01',
  ],
  bool: [true, false],
  timestamp: [
    0,
    1,
    -1,
    NOW + 0.999,
    Date.UTC(1969, 11, 31, 23, 59, 59, 999),
    Date.UTC(1582, 9, 4),
    Date.UTC(0, 0, 1) - 1900 * 366 * DAY,
    -62_135_596_800_001,
    -210_866_803_200_000 + 100 * DAY,
    253_402_300_799_999,
    253_402_300_800_000,
    8_640_000_000_000_000,
  ].map(time => new Date(time)),
  bytes: [Buffer.alloc(0), Buffer.from([0, 1, 92, 120, 255]), Buffer.from('\\x00')],
}
const TYPES = Object.keys(EDGES) as ColumnType[]

/** Access to one warehouse: `connect` makes clients of the same data. */
export interface WarehouseSubject {
  connect(): Warehouse
  stop(): Promise<void>
}

/** What every warehouse does. `start` is called once. */
export function warehouseContract(name: string, start: () => Promise<WarehouseSubject>): void {
  describe(`${name} keeps the warehouse contract`, () => {
    let subject: WarehouseSubject
    let warehouse: Warehouse
    let count = 0
    const nextName = () => `quest_${++count}`
    const prepared = async (table = questTable(nextName())) => {
      await warehouse.prepare(table)
      return table
    }
    const opened = async (changes: Partial<SinkIdentity> = {}) => {
      const table = changes.table ?? (await prepared())
      const identity = identityOf(table, changes)
      return { table, identity, sink: await warehouse.openSink(identity) }
    }

    beforeAll(async () => {
      subject = await start()
      warehouse = subject.connect()
    })
    afterAll(() => subject?.stop())

    it('says how many of its sessions are at work, where it has sessions', async () => {
      const { sink } = await opened()
      let done = false
      let most = 0
      const flushing = sink.flush(flushOf(1, [quest('escort', 0, 1)])).finally(() => {
        done = true
      })
      // PGlite works without ever waiting for anything outside of the process: look between its promises, too.
      for (let look = 0; !done; look++) {
        most = Math.max(most, warehouse.sessions?.inUse ?? 0)
        await (look % 20 === 19 ? new Promise(resolve => setImmediate(resolve)) : Promise.resolve())
      }
      await flushing
      await sink.close()
      expect([most, warehouse.sessions?.inUse]).toEqual(warehouse.sessions ? [1, 0] : [0, undefined])
      expect(warehouse.sessions?.limit ?? 1).toBeGreaterThanOrEqual(1)
    })

    describe('tables', () => {
      it('prepares a table once, however often and by however many at once', async () => {
        const table = questTable(nextName())
        await Promise.all([1, 2, 3, 4].map(() => warehouse.prepare(table)))
        await warehouse.prepare(table)
        expect(await allRows(warehouse, table)).toEqual([])
      })

      it('adds missing nullable columns and keeps the rows', async () => {
        const { table, sink } = await opened()
        await sink.flush(flushOf(1, [quest('a', 0, 1, 2)]))
        const wider = {
          ...table,
          columns: [...table.columns, column('slowest', 'double', true), column('seen', 'bool', true)],
        }
        await warehouse.prepare(wider)
        expect(await allRows(warehouse, wider)).toEqual([[...quest('a', 0, 1, 2), null, null]])
        await sink.flush(flushOf(2, [quest('b', 0, 1)]))
        const after = await warehouse.openSink(identityOf(wider))
        expect(after.nextOffset).toBe(2)
        await after.flush(flushOf(3, [[...quest('a', 0, 5), 0.5, true]]))
        expect(await allRows(warehouse, wider)).toEqual([
          [...quest('a', 0, 5), 0.5, true],
          [...quest('b', 0, 1), null, null],
        ])
      })

      it('names all differences of a table that it cannot mend, and changes nothing', async () => {
        const table = await prepared()
        const other = tableSpec(
          table.name,
          [
            column('quest_type', 'int'),
            column('window_start', 'timestamp'),
            column('events', 'long', true),
            column('level', 'int'),
            column('added', 'int', true),
          ],
          ['quest_type'],
        )
        const failure = await warehouse.prepare(other).catch(thrown => thrown)
        expect(failure).toMatchObject({ code: 'WAREHOUSE_TABLE' })
        expect(failure.message).toContain(table.name)
        for (const part of [
          /"quest_type" has type (text|character varying\(256\)), not int/,
          /"level" is missing/,
          /"events" is NOT NULL/,
          /key/,
        ]) {
          expect(failure.message).toMatch(part)
        }
        expect(failure.message).not.toMatch(/"added"|"gold"/)
        await warehouse.prepare(table)
        expect(await allRows(warehouse, table)).toEqual([])
      })

      it('refuses a table without a key and a key that is no column', async () => {
        const columns = [column('a', 'int')]
        const refused = { code: 'WAREHOUSE_TABLE' }
        await expect(warehouse.prepare(tableSpec(nextName(), columns, []))).rejects.toMatchObject(refused)
        await expect(warehouse.prepare(tableSpec(nextName(), columns, ['b']))).rejects.toMatchObject(refused)
      })

      it('takes hostile names and reserved words as they are', async () => {
        const names = [
          'select',
          'user',
          'UPPER',
          'with space',
          'a"b',
          "it's",
          'x"); DROP TABLE y; --',
          '🐎',
          '$1',
          'x0',
          't',
        ]
        for (const tableName of [
          `${nextName()}"; DROP TABLE z; --`,
          `Select_${nextName()}`,
          `s ${count}.group ${nextName()}`,
        ]) {
          const table = tableSpec(
            tableName,
            names.map(each => column(each, 'text', each === '$1')),
            ['select', 'a"b', '$1'],
          )
          const { sink } = await opened({ table: await prepared(table) })
          const row = names.map(each => `value of ${each}`)
          await sink.flush(flushOf(1, [row, ['other', ...row.slice(1)]]))
          await sink.flush(flushOf(2, [[...row.slice(0, -1), 'new']], [keyOf(['other', ...row.slice(1)], table)]))
          expect(await allRows(warehouse, table)).toEqual([[...row.slice(0, -1), 'new']])
          await warehouse.prepare(table)
        }
      })

      it('keeps tables of one name in two schemas apart', async () => {
        const [a, b] = [questTable(`one.${nextName()}`), questTable(`two.quest_${count}`)]
        for (const table of [a, b]) {
          const { sink } = await opened({ table: await prepared(table), sink: 'same sink' })
          await sink.flush(flushOf(1, [quest(table.name, 0, 1)]))
        }
        expect(await allRows(warehouse, a)).toEqual([quest(a.name, 0, 1)])
        expect(await allRows(warehouse, b)).toEqual([quest(b.name, 0, 1)])
      })

      it('does not open a sink of a table that does not exist', async () => {
        await expect(warehouse.openSink(identityOf(questTable(nextName())))).rejects.toMatchObject({
          code: 'WAREHOUSE_TABLE',
        })
      })
    })

    describe('values', () => {
      const wide = (tableName: string, nullable: boolean) =>
        tableSpec(
          tableName,
          [
            column('id', 'int'),
            ...TYPES.map(type => column(`a_${type}`, type, nullable)),
            ...TYPES.map(type => column(`b_${type}`, type, true)),
          ],
          ['id'],
        )

      /** Edge values that this warehouse takes, as a value or as the key; most of them. */
      const storable = (type: ColumnType, key: readonly string[] = ['id']): readonly ColumnValue[] => {
        const table = tableSpec('edges', [column('id', 'int'), column('c', type)], key)
        const values = EDGES[type].filter(value => warehouse.unstorable(table, [0, value]) === undefined)
        expect(values.length).toBeGreaterThanOrEqual(Math.min(4, EDGES[type].length - 1))
        return values
      }
      const at = (values: readonly ColumnValue[], index: number) => values[index % values.length] as ColumnValue

      it('gives edge values of every type back as they were', async () => {
        const { table, sink } = await opened({ table: await prepared(wide(nextName(), false)) })
        const longest = Math.max(...TYPES.map(type => storable(type).length))
        const rows = Array.from({ length: longest }, (_, i) => [
          i,
          ...TYPES.map(type => at(storable(type), i)),
          ...TYPES.map(type => (i % 2 === 0 ? null : at(storable(type), i * 3))),
        ])
        await sink.flush(flushOf(1, rows))
        expect((await allRows(warehouse, table)).sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(rows)
      })

      it('gives edge values back that came in a large flush', async () => {
        const { table, sink } = await opened({ table: await prepared(wide(nextName(), true)) })
        const rows = Array.from({ length: 2_400 }, (_, i) => [
          i,
          ...TYPES.map(type => (i % 7 === 0 ? null : at(storable(type), i))),
          ...TYPES.map(type => at(storable(type), i * 5)),
        ])
        await sink.flush(flushOf(1, rows))
        expect((await allRows(warehouse, table)).sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(rows)
      })

      it('identifies rows by edge values of every type in the key', async () => {
        for (const type of TYPES) {
          const table = tableSpec(nextName(), [column('k', type, true), column('n', 'int')], ['k'])
          const { sink } = await opened({ table: await prepared(table) })
          const keys = [...storable(type, ['c']).filter(value => !Object.is(value, -0)), null]
          const distinct = new Map(keys.map(key => [keyIdentity([key], keyColumns(table)), key]))
          const rows = (n: number) => [...distinct.values()].map(key => [key, n])
          await sink.flush(flushOf(1, rows(1)))
          await sink.flush(flushOf(2, rows(2)))
          expect(new Set(await allRows(warehouse, table))).toEqual(new Set(rows(2)))
          const [first, ...others] = [...distinct.values()] as [ColumnValue, ...ColumnValue[]]
          await sink.flush(
            flushOf(
              3,
              [],
              others.map(key => [key]),
            ),
          )
          expect(await allRows(warehouse, table)).toEqual([[first, 2]])
        }
      })

      it('gives any storable row back', async () => {
        const table = await prepared(
          tableSpec(
            nextName(),
            [
              column('k_text', 'text', true),
              column('k_long', 'long', true),
              column('v_decimal', 'decimal', true),
              column('v_double', 'double', true),
              column('v_time', 'timestamp', true),
              column('v_text', 'text', true),
              column('v_bytes', 'bytes', true),
            ],
            ['k_text', 'k_long'],
          ),
        )
        const { sink } = await opened({ table })
        const text = fc
          .string({ unit: 'grapheme', maxLength: 12 })
          .filter(value => !warehouse.unstorable(oneText, [value]))
        const whole = (limit: bigint) =>
          fc
            .bigInt({ min: -limit, max: limit })
            .map(value => (Number.isSafeInteger(Number(value)) ? Number(value) : value))
        const date = (min: string, max: string) =>
          fc.date({ noInvalidDate: true, min: new Date(min), max: new Date(max) })
        const anyRow = fc.tuple(
          fc.option(text),
          fc.option(whole(2n ** 63n - 1n)),
          fc.option(whole(10n ** 38n - 1n)),
          fc.option(fc.double()),
          fc.option(fc.oneof(date('0001-01-01', '9999-12-31'), date('-004700-01-01', '+275760-09-12'))),
          fc.option(text),
          fc.option(fc.uint8Array({ maxLength: 8 }).map(value => Buffer.from(value))),
        )
        const storableRow = anyRow.filter(row => warehouse.unstorable(table, row) === undefined)
        let offset = 0
        await fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(storableRow, {
              selector: ([a, b]) => keyIdentity([a, b], keyColumns(table)),
              maxLength: 20,
            }),
            async rows => {
              const before = (await allRows(warehouse, table)).map(row => keyOf(row, table))
              const kept = new Set(rows.map(row => keyIdentity(keyOf(row, table), keyColumns(table))))
              const deletes = before.filter(key => !kept.has(keyIdentity(key, keyColumns(table))))
              await sink.flush(flushOf(++offset, rows, deletes))
              expect(new Set(await allRows(warehouse, table))).toEqual(new Set(rows))
            },
          ),
          { numRuns: 40 },
        )
      })

      const oneText = tableSpec('t', [column('c', 'text')], ['c'])

      it('refuses a flush with a row that it cannot store, naming column and key, and stays usable', async () => {
        const { table, sink } = await opened()
        await sink.flush(flushOf(5, [quest('a', 0, 1)]))
        const bad = quest('nul\0in key', 0, 1)
        expect(warehouse.unstorable(table, bad)).toMatch(
          /column "quest_type".*NUL character.*quest_type = "nul\\u0000in key"/,
        )
        expect(warehouse.unstorable(table, quest('a', 0, 1))).toBeUndefined()
        await expect(sink.flush(flushOf(6, [quest('b', 0, 1), bad]))).rejects.toMatchObject({
          code: 'WAREHOUSE',
          message: expect.stringMatching(/column "quest_type".*NUL character/),
        })
        expect(sink.nextOffset).toBe(5)
        await sink.flush(flushOf(6, [quest('b', 0, 1)], [questKey('nul\0in key', 0)]))
        expect(await allRows(warehouse, table)).toEqual([quest('a', 0, 1), quest('b', 0, 1)])
      })

      it('stores the longest key that it does not refuse, and refuses longer ones', async () => {
        const wide = { maxBytes: 4_000 }
        const table = await prepared(
          tableSpec(
            nextName(),
            [
              { ...column('k', 'text'), ...wide },
              { ...column('m', 'text', true), ...wide },
            ],
            ['k', 'm'],
          ),
        )
        const { sink } = await opened({ table })
        // Not compressible, as a worst case.
        const noise = Array.from({ length: 2_600 }, (_, i) =>
          String.fromCharCode(33 + ((i * i * 7_919 + i * 31) % 90)),
        ).join('')
        const rows = [
          [noise.slice(0, 2_584), null],
          [noise.slice(0, 1_300), noise.slice(0, 1_284)],
        ]
        expect(rows.map(row => warehouse.unstorable(table, row))).toEqual([undefined, undefined])
        await sink.flush(flushOf(1, rows))
        expect((await allRows(warehouse, table)).length).toBe(2)
        expect(warehouse.unstorable(table, [noise.slice(0, 2_585), null])).toMatch(/key.*2601 bytes/)
      })
    })

    describe('offsets and owners', () => {
      it('starts at 0, then where the last flush ended', async () => {
        const { table, identity, sink } = await opened()
        expect([sink.nextOffset, sink.rebuild]).toEqual([0, false])
        await sink.flush(flushOf(10, [quest('a', 0, 1)]))
        await sink.flush(flushOf(11, []))
        expect(sink.nextOffset).toBe(11)
        const second = await warehouse.openSink(identity)
        expect([second.nextOffset, second.rebuild]).toEqual([11, false])
        expect(await allRows(warehouse, table)).toEqual([quest('a', 0, 1)])
      })

      it('keeps offsets beyond 2^31', async () => {
        const { identity, sink } = await opened()
        await sink.flush(flushOf(2 ** 52, []))
        expect((await warehouse.openSink(identity)).nextOffset).toBe(2 ** 52)
      })

      it('fences the former owner: it writes nothing any more', async () => {
        const { table, identity, sink } = await opened()
        await sink.flush(flushOf(1, [quest('a', 0, 1)]))
        const second = await warehouse.openSink(identity)
        const fenced = { code: 'WAREHOUSE_FENCED' }
        await expect(sink.flush(flushOf(2, [quest('a', 0, 666), quest('b', 0, 666)], []))).rejects.toMatchObject(fenced)
        await expect(sink.flush(flushOf(2, [], [questKey('a', 0)]))).rejects.toMatchObject(fenced)
        await second.flush(flushOf(2, [quest('a', 0, 2)]))
        await expect(sink.flush(flushOf(3, [quest('a', 0, 666)]))).rejects.toMatchObject(fenced)
        expect(await allRows(warehouse, table)).toEqual([quest('a', 0, 2)])
        expect((await warehouse.openSink(identity)).nextOffset).toBe(2)
      })

      it('keeps partitions and sinks apart', async () => {
        const { table, identity, sink } = await opened()
        const other = await warehouse.openSink({ ...identity, partition: 1 })
        const another = await warehouse.openSink({ ...identity, sink: 'another' })
        await Promise.all([
          sink.flush(flushOf(3, [quest('a', 0, 1)])),
          other.flush(flushOf(5, [quest('b', 0, 1)])),
          another.flush(flushOf(7, [quest('c', 0, 1)])),
        ])
        expect([sink.nextOffset, other.nextOffset, another.nextOffset]).toEqual([3, 5, 7])
        expect((await allRows(warehouse, table)).length).toBe(3)
      })

      it('applies flushes that are not awaited in the order of their calls', async () => {
        const { table, sink } = await opened()
        await Promise.all(Array.from({ length: 12 }, (_, i) => sink.flush(flushOf(i + 1, [quest('a', 0, i + 1)]))))
        expect(sink.nextOffset).toBe(12)
        expect(await allRows(warehouse, table)).toEqual([quest('a', 0, 12)])
      })

      it('refuses a flush after close', async () => {
        const { table, sink } = await opened()
        await sink.close()
        await expect(sink.flush(flushOf(1, [quest('a', 0, 1)]))).rejects.toMatchObject({ code: 'WAREHOUSE' })
        expect(await allRows(warehouse, table)).toEqual([])
      })
    })

    describe('rebuild', () => {
      it('starts again when the topic was recreated, at each opening until a flush ends it', async () => {
        const { table, identity, sink } = await opened()
        await sink.flush(flushOf(9, [quest('old', 0, 1), quest('kept', 0, 1)]))
        const recreated = { ...identity, topicId: 'topic-2' }
        const first = await warehouse.openSink(recreated)
        expect([first.nextOffset, first.rebuild]).toEqual([0, true])
        await first.flush(flushOf(1, [quest('kept', 0, 2)]))
        // The worker dies here, and another one goes on.
        const second = await warehouse.openSink(recreated)
        expect([second.nextOffset, second.rebuild]).toEqual([0, true])
        await second.flush(flushOf(1, [quest('kept', 0, 2)]))
        const unseen: RowKey[] = []
        for await (const key of second.keys()) if (key[0] !== 'kept') unseen.push(key)
        expect(unseen).toEqual([questKey('old', 0)])
        await second.flush({ ...flushOf(2, [], unseen), endsRebuild: true })
        const third = await warehouse.openSink(recreated)
        expect([third.nextOffset, third.rebuild]).toEqual([2, false])
        expect(await allRows(warehouse, table)).toEqual([quest('kept', 0, 2)])
      })

      it('does not start again where an id of the topic is unknown, and remembers it once it is known', async () => {
        const { identity, sink } = await opened({ topicId: undefined })
        await sink.flush(flushOf(4, []))
        expect((await warehouse.openSink({ ...identity, topicId: 'topic-1' })).rebuild).toBe(false)
        expect((await warehouse.openSink({ ...identity, topicId: undefined })).rebuild).toBe(false)
        expect((await warehouse.openSink({ ...identity, topicId: 'topic-1' })).nextOffset).toBe(4)
        expect((await warehouse.openSink({ ...identity, topicId: 'topic-2' })).rebuild).toBe(true)
      })

      it('starts again when the last flush is older than tombstones are kept', async () => {
        const { identity, sink } = await opened()
        expect((await warehouse.openSink({ ...identity, now: NOW + 900 * DAY })).rebuild).toBe(false)
        const owner = await warehouse.openSink(identity)
        await owner.flush(flushOf(4, []))
        expect((await warehouse.openSink({ ...identity, now: NOW + DAY })).nextOffset).toBe(4)
        const late = await warehouse.openSink({ ...identity, now: NOW + DAY + 1 })
        expect([late.nextOffset, late.rebuild]).toEqual([0, true])
        await expect(sink.flush(flushOf(5, []))).rejects.toMatchObject({ code: 'WAREHOUSE_FENCED' })
      })

      it('allows flushes while the keys are read', async () => {
        const { table, identity, sink } = await opened()
        await sink.flush(
          flushOf(
            1,
            Array.from({ length: 5_000 }, (_, i) => quest('a', i, i)),
          ),
        )
        const rebuilt = await warehouse.openSink({ ...identity, topicId: 'topic-2' })
        let offset = 0
        let seen = 0
        for await (const key of rebuilt.keys()) {
          if (seen++ % 1_000 === 0) await rebuilt.flush(flushOf(++offset, [], [key]))
        }
        expect(seen).toBe(5_000)
        expect((await allRows(warehouse, table)).length).toBe(4_995)
      })
    })

    describe('rows', () => {
      it('equal a map after any sequence of flushes', async () => {
        const table = await prepared(
          tableSpec(nextName(), [column('k', 'text', true), column('w', 'int'), column('n', 'long', true)], ['k', 'w']),
        )
        const key = fc.tuple(fc.constantFrom('a', 'b', '', null), fc.integer({ min: 0, max: 3 }))
        const change = fc.tuple(key, fc.oneof(fc.constant('delete' as const), fc.option(fc.integer())))
        const changes = fc.uniqueArray(change, { selector: ([k]) => JSON.stringify(k), maxLength: 10 })
        let run = 0
        await fc.assert(
          fc.asyncProperty(fc.array(changes, { maxLength: 6 }), async flushes => {
            const sink = await warehouse.openSink(identityOf(table, { sink: `model-${++run}` }))
            const model = new Map<string, Row>()
            await sink.flush(
              flushOf(
                0,
                [],
                (await allRows(warehouse, table)).map(row => keyOf(row, table)),
              ),
            )
            for (const [index, flush] of flushes.entries()) {
              const deletes = flush.filter(([, value]) => value === 'delete').map(([k]) => k)
              const upserts = flush.flatMap(([k, value]): Row[] => (value === 'delete' ? [] : [[...k, value]]))
              await sink.flush(flushOf(index + 1, upserts, deletes))
              for (const k of deletes) model.delete(JSON.stringify(k))
              for (const row of upserts) model.set(JSON.stringify(row.slice(0, 2)), row)
            }
            expect(new Set(await allRows(warehouse, table))).toEqual(new Set(model.values()))
          }),
          { numRuns: 25 },
        )
      })

      it('takes a flush of 20,000 rows, then one that updates, inserts and deletes', async () => {
        const { table, sink } = await opened()
        const rows = (from: number, to: number, events: number) =>
          Array.from({ length: to - from }, (_, i) => quest(`type-${(from + i) % 50}`, from + i, events, i))
        await sink.flush(flushOf(20_000, rows(0, 20_000, 1)))
        const deletes = rows(0, 5_000, 0).map(row => keyOf(row, table))
        await sink.flush(flushOf(45_000, rows(10_000, 30_000, 2), deletes))
        const result = await allRows(warehouse, table)
        expect(result.length).toBe(25_000)
        expect(result.filter(row => row[2] === 2).length).toBe(20_000)
      })

      it('updates tables that have no columns but the key', async () => {
        const table = await prepared(tableSpec(nextName(), [column('a', 'int'), column('b', 'text', true)], ['a', 'b']))
        const { sink } = await opened({ table })
        await sink.flush(
          flushOf(1, [
            [1, null],
            [1, 'x'],
          ]),
        )
        await sink.flush(flushOf(2, [[1, null]], [[1, 'x']]))
        expect(await allRows(warehouse, table)).toEqual([[1, null]])
      })

      it('can be left before their end', async () => {
        const { table, sink } = await opened()
        await sink.flush(
          flushOf(
            1,
            Array.from({ length: 3_000 }, (_, i) => quest('a', i, i)),
          ),
        )
        for (let round = 0; round < 20; round++) {
          for await (const row of warehouse.rows(table)) {
            expect(row.length).toBe(4)
            break
          }
        }
        await sink.flush(flushOf(2, [quest('b', 0, 1)]))
      })
    })

    splitContract(() => warehouse, nextName)

    it('has a name', () => expect(warehouse.name).toMatch(/\w/))
  })
}
