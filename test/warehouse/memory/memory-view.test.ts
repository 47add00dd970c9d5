import { expect, test } from 'vitest'
import type { CoarserView, Row, TableSpec } from '../../../src/ports/warehouse.js'
import { coarserRows } from '../../../src/warehouse/memory/memory-view.js'

const table: TableSpec = {
  name: 't',
  columns: [
    { name: 'k', type: 'text', nullable: true },
    { name: 'start', type: 'timestamp', nullable: false },
    { name: 'end', type: 'timestamp', nullable: false },
    { name: 'n', type: 'long', nullable: true },
    { name: 'word', type: 'text', nullable: true },
  ],
  key: ['k', 'start', 'end'],
  sortKey: [],
}
const view: CoarserView = {
  kind: 'coarser',
  name: 'v',
  size: 10,
  groupBy: ['k'],
  windowStart: 'start',
  windowEnd: 'end',
  measures: [
    { column: 'n', by: 'sum' },
    { column: 'word', by: 'max' },
    { column: 'mean', by: 'mean', sum: 'n', count: 'n' },
  ],
}

test('rows of a coarser view are sums over longer windows, exact beyond 2^53, in the order of UTF-8 for text', () => {
  const at = (k: string | null, start: number, n: number | bigint | null, word: string | null): Row => [
    k,
    new Date(start),
    new Date(start + 5),
    n,
    word,
  ]
  const rows = [
    at('a', 0, 2n ** 60n, '\u{1f40e}'),
    at('a', 5, 1, '\uffff'),
    at('a', 10, 3, null),
    at(null, -5, null, null),
  ]
  const read = () => rows
  expect([...coarserRows(view, table, { read }, ['k', 'start', 'end', 'n', 'word'])]).toEqual([
    ['a', new Date(0), new Date(10), 2n ** 60n + 1n, '\u{1f40e}'],
    ['a', new Date(10), new Date(20), 3, null],
    [null, new Date(-10), new Date(0), null, null],
  ])
  expect([...coarserRows(view, table, { read }, ['mean'])]).toEqual([[1], [1], [null]])
})
