import { describe, expect, it } from 'vitest'
import type { Column, ColumnType } from '../../src/model/column.js'
import { closedTable, openTable } from '../../src/model/relation-names.js'
import type { CoarserView, Flush, Row, RowKey, TableSpec, Warehouse } from '../../src/ports/warehouse.js'
import { allRows, flushOf, identityOf } from './warehouse-contract.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** The start of the hour in which all rows here are. */
const START = Date.UTC(2026, 0, 15, 9)

const column = (name: string, type: ColumnType, nullable = false): Column => ({ name, type, nullable })

/** `quest_type` (which may be null) and the window are the key. */
function splitTable(name: string, changes: Partial<TableSpec> = {}): TableSpec {
  return {
    name,
    columns: [
      column('quest_type', 'text', true),
      column('window_start', 'timestamp'),
      column('window_end', 'timestamp'),
      column('events', 'long'),
      column('gold', 'decimal', true),
    ],
    key: ['quest_type', 'window_start', 'window_end'],
    sortKey: ['window_start'],
    split: true,
    ...changes,
  }
}

const keyOf = (type: string | null, minute: number): RowKey => [
  type,
  new Date(START + minute * MINUTE),
  new Date(START + (minute + 1) * MINUTE),
]
const row = (type: string | null, minute: number, events: number, ...others: Row): Row => [
  ...keyOf(type, minute),
  events,
  ...(others.length > 0 ? others : [null]),
]

function closing(nextOffset: number, closed: readonly Row[], rest: Partial<Flush> = {}): Flush {
  return { ...flushOf(nextOffset, []), closed, ...rest }
}

/** Rows of open and closed windows in two tables, and views: part of what every warehouse does. */
export function splitContract(warehouseOf: () => Warehouse, nextName: () => string): void {
  const partOf = (table: TableSpec, part: 'open' | 'closed') =>
    allRows(warehouseOf(), {
      ...table,
      name: part === 'open' ? openTable(table.name) : closedTable(table.name),
      split: false,
      views: [],
    })
  const parts = async (table: TableSpec) => ({
    open: await partOf(table, 'open'),
    closed: await partOf(table, 'closed'),
    all: await allRows(warehouseOf(), table),
  })
  const opened = async (table: TableSpec) => {
    await warehouseOf().prepare(table)
    return warehouseOf().openSink(identityOf(table))
  }

  describe('split tables', () => {
    it('hold rows among the open ones until their window closes, and then for ever among the closed ones', async () => {
      const table = splitTable(nextName())
      const sink = await opened(table)
      await sink.flush(flushOf(1, [row('a', 0, 1, 5), row('a', 1, 1), row(null, 0, 3)]))
      expect(await parts(table)).toEqual({
        open: [row('a', 0, 1, 5), row('a', 1, 1), row(null, 0, 3)],
        closed: [],
        all: [row('a', 0, 1, 5), row('a', 1, 1), row(null, 0, 3)],
      })
      await sink.flush(closing(2, [row('a', 0, 2, 7), row(null, 0, 3)], { upserts: [row('b', 1, 1)] }))
      const then = {
        open: [row('a', 1, 1), row('b', 1, 1)],
        closed: [row('a', 0, 2, 7), row(null, 0, 3)],
      }
      expect(await parts(table)).toMatchObject(then)
      // What came before the close and arrives again behind it, as at least once it may.
      await sink.flush(flushOf(3, [row('a', 0, 1, 5), row(null, 0, 1), row('b', 1, 4)]))
      expect(await parts(table)).toEqual({
        open: [row('a', 1, 1), row('b', 1, 4)],
        closed: then.closed,
        all: [row('a', 0, 2, 7), row('a', 1, 1), row('b', 1, 4), row(null, 0, 3)],
      })
    })

    it('close a row that was never open, and delete rows of both parts', async () => {
      const table = splitTable(nextName())
      const sink = await opened(table)
      await sink.flush(closing(1, [row('a', 0, 1), row('b', 0, 1)], { upserts: [row('a', 1, 1), row('b', 1, 1)] }))
      await sink.flush(flushOf(2, [], [keyOf('a', 0), keyOf('b', 1)]))
      expect(await parts(table)).toMatchObject({ open: [row('a', 1, 1)], closed: [row('b', 0, 1)] })
      const keys: RowKey[] = []
      for await (const key of sink.keys()) keys.push(key)
      expect(new Set(keys)).toEqual(new Set([keyOf('a', 1), keyOf('b', 0)]))
    })

    it('take thousands of rows that open and close at once', async () => {
      const table = splitTable(nextName())
      const sink = await opened(table)
      const rows = (from: number, to: number, events: number) =>
        Array.from({ length: to - from }, (_, i) => row(`type-${from + i}`, 0, events, i))
      await sink.flush(flushOf(1, rows(0, 6_000, 1)))
      await sink.flush(closing(2, rows(3_000, 6_000, 2), { upserts: rows(6_000, 9_000, 1) }))
      const { open, closed, all } = await parts(table)
      expect([open.length, closed.length, all.length]).toEqual([6_000, 3_000, 9_000])
      expect(closed.every(each => each[3] === 2)).toBe(true)
    })

    it('open rows again in a rebuild only, where the log says that they are open', async () => {
      const table = splitTable(nextName())
      const before = await opened(table)
      await before.flush(closing(1, [row('a', 0, 1), row('b', 0, 1), row('c', 0, 1)]))
      const sink = await warehouseOf().openSink({ ...identityOf(table), topicId: 'topic-2' })
      expect(sink.rebuild).toBe(true)
      await sink.flush(closing(1, [row('b', 0, 2)], { upserts: [row('a', 0, 4)] }))
      expect(await parts(table)).toMatchObject({ open: [row('a', 0, 4)], closed: [row('b', 0, 2), row('c', 0, 1)] })
      await sink.flush({ ...flushOf(2, [], [keyOf('c', 0)]), endsRebuild: true })
      expect(await parts(table)).toMatchObject({
        open: [row('a', 0, 4)],
        closed: [row('b', 0, 2)],
        all: [row('a', 0, 4), row('b', 0, 2)],
      })
    })

    it('refuse a closed row that cannot be stored, and write nothing of its flush', async () => {
      const table = splitTable(nextName())
      const sink = await opened(table)
      await expect(sink.flush(closing(1, [row('nul\0', 0, 1)], { upserts: [row('a', 0, 1)] }))).rejects.toMatchObject({
        code: 'WAREHOUSE',
      })
      expect(await parts(table)).toMatchObject({ open: [], closed: [] })
    })

    it('get new columns in both parts and in the view, wherever they stand among the others', async () => {
      const table = splitTable(nextName())
      const sink = await opened(table)
      await sink.flush(closing(1, [row('a', 0, 1, 5)], { upserts: [row('b', 0, 2, 6)] }))
      const [key, rest] = [table.columns.slice(0, 3), table.columns.slice(3)]
      const wider = { ...table, columns: [...key, column('seen', 'bool', true), ...rest] }
      await warehouseOf().prepare(wider)
      await warehouseOf().prepare(wider)
      const after = await warehouseOf().openSink(identityOf(wider))
      expect([after.nextOffset, after.rebuild]).toEqual([1, false])
      await after.flush(flushOf(2, [[...keyOf('b', 0), true, 3, 6]]))
      expect(await allRows(warehouseOf(), wider)).toEqual([
        [...keyOf('a', 0), null, 1, 5],
        [...keyOf('b', 0), true, 3, 6],
      ])
    })

    it('lose columns of the view that the sink has no more', async () => {
      const table = splitTable(nextName())
      const sink = await opened(table)
      await sink.flush(closing(1, [row('a', 0, 1, 5)]))
      const narrower = { ...table, columns: table.columns.slice(0, 4) }
      await warehouseOf().prepare(narrower)
      expect(await allRows(warehouseOf(), narrower)).toEqual([row('a', 0, 1).slice(0, 4)])
      const after = await warehouseOf().openSink(identityOf(narrower))
      await after.flush(closing(2, [row('b', 0, 1).slice(0, 4)]))
      expect((await allRows(warehouseOf(), narrower)).length).toBe(2)
    })

    it('are refused where a table has their name, and a table where they are', async () => {
      const whole = splitTable(nextName(), { split: false })
      await warehouseOf().prepare(whole)
      const refused = (name: string) => ({
        code: 'WAREHOUSE_TABLE',
        message: expect.stringMatching(new RegExp(`${name}.*view`, 's')),
      })
      await expect(warehouseOf().prepare({ ...whole, split: true })).rejects.toMatchObject(refused(whole.name))
      const split = splitTable(nextName())
      await warehouseOf().prepare(split)
      await expect(warehouseOf().prepare({ ...split, split: false })).rejects.toMatchObject(refused(split.name))
    })
  })

  describe('coarser views', () => {
    const view = (name: string, size: number): CoarserView => ({
      kind: 'coarser',
      name,
      size,
      groupBy: ['quest_type'],
      windowStart: 'window_start',
      windowEnd: 'window_end',
      measures: [
        { column: 'events', by: 'sum' },
        { column: 'gold', by: 'sum' },
        { column: 'slowest', by: 'max' },
        { column: 'quickest', by: 'min' },
        { column: 'last_name', by: 'max' },
        { column: 'any_won', by: 'max' },
        { column: 'all_won', by: 'min' },
        { column: 'mean_gold', by: 'mean', sum: 'gold', count: 'events' },
        { column: 'minutes', by: 'sum' },
      ],
    })
    const measured: readonly Column[] = [
      column('gold', 'decimal', true),
      column('slowest', 'long', true),
      column('quickest', 'double', true),
      column('last_name', 'text', true),
      column('any_won', 'bool', true),
      column('all_won', 'bool', true),
      column('mean_gold', 'double', true),
      column('minutes', 'double'),
      column('players', 'long'),
    ]
    const withViews = (name: string, views: readonly CoarserView[], split: boolean) => {
      const table = splitTable(name, { split, views })
      return { ...table, columns: [...table.columns.slice(0, 4), ...measured] }
    }
    const asTable = (table: TableSpec, coarser: CoarserView): TableSpec => ({
      ...table,
      name: coarser.name,
      split: false,
      views: [],
      columns: table.columns.filter(({ name }) => name !== 'players'),
    })

    for (const split of [false, true]) {
      it(`sum windows up to longer ones${split ? ', of open and closed rows' : ''}`, async () => {
        const [hour, day] = [view(nextName(), HOUR), view(nextName(), 24 * HOUR)]
        const table = withViews(nextName(), [hour, day], split)
        const sink = await opened(table)
        const long = 2n ** 62n
        const open = [
          row('a', 1, 2, 10, 7, 0.5, 'zebra', true, true, 5, 0.25, 1),
          row('a', 61, 1, 1, null, null, null, null, null, null, 1, 1),
          row(null, 2, 1, long, 3, 2, 'b', false, false, 1, 0, 1),
        ]
        // Redshift takes no NaN.
        const nan = row('a', 0, 1, 20, 9, Number.NaN, 'Äpfel', false, true, 20, 0.5, 1)
        const unordered = warehouseOf().unstorable(table, nan) === undefined ? Number.NaN : 99
        const closed = [
          row('a', 0, 1, 20, 9, unordered, 'Äpfel', false, true, 20, 0.5, 1),
          row(null, 0, 1, long, null, 1.5, 'a', false, null, 1, 0, 1),
          row('b', 0, 0, null, null, null, null, null, null, null, 0, 0),
        ]
        await sink.flush(flushOf(1, [...open, ...closed]))
        await sink.flush(closing(2, closed))
        const window = (type: string | null, size: number, hours = 0) => {
          const start = START - (START % size) + hours * HOUR
          return [type, new Date(start), new Date(start + size)]
        }
        const of = async (coarser: CoarserView) => new Set(await allRows(warehouseOf(), asTable(table, coarser)))
        const b = [0, null, null, null, null, null, null, null, 0]
        const none = [2, 2n * long, 3, 1.5, 'b', false, false, Number(2n * long) / 2, 0]
        expect(await of(hour)).toEqual(
          new Set([
            [...window('a', HOUR), 3, 30, 9, 0.5, 'Äpfel', true, true, 10, 0.75],
            [...window('a', HOUR, 1), 1, 1, null, null, null, null, null, 1, 1],
            [...window('b', HOUR), ...b],
            [...window(null, HOUR), ...none],
          ]),
        )
        expect(await of(day)).toEqual(
          new Set([
            [...window('a', 24 * HOUR), 4, 31, 9, 0.5, 'Äpfel', true, true, 31 / 4, 1.75],
            [...window('b', 24 * HOUR), ...b],
            [...window(null, 24 * HOUR), ...none],
          ]),
        )
      })
    }

    it('follow the columns of their table', async () => {
      const hour = view(nextName(), HOUR)
      const before = { ...hour, measures: hour.measures.slice(0, 2) }
      const table = withViews(nextName(), [before], true)
      const sink = await opened(table)
      await sink.flush(flushOf(1, [row('a', 0, 2, 10, 7, 0.5, 'x', true, true, 5, 0.25, 1)]))
      const wider = { ...table, views: [hour] }
      await warehouseOf().prepare(wider)
      expect((await allRows(warehouseOf(), asTable(wider, hour))).map(each => each.slice(3, 6))).toEqual([[2, 10, 7]])
      const narrower = { ...table, views: [{ ...hour, measures: hour.measures.slice(1, 2) }] }
      await warehouseOf().prepare(narrower)
      const gold = {
        ...asTable(narrower, hour),
        columns: [column('quest_type', 'text', true), column('gold', 'decimal')],
      }
      expect(await allRows(warehouseOf(), { ...gold, key: ['quest_type'] })).toEqual([['a', 10]])
    })
  })
}
