import { expect, test } from 'vitest'
import type { TableSpec } from '../../src/ports/warehouse.js'
import { readableTables } from '../../src/runtime/readable-tables.js'

const table: TableSpec = {
  name: 's.t',
  columns: (['k', 'b', 'start', 'end', 'n', 'm'] as const).map(name => ({ name, type: 'long', nullable: false })),
  key: ['k', 'b', 'start', 'end'],
  sortKey: ['start'],
  split: true,
  views: [
    {
      kind: 'coarser',
      name: 'h',
      size: 60_000,
      groupBy: ['k', 'b'],
      windowStart: 'start',
      windowEnd: 'end',
      measures: [{ column: 'n', by: 'sum' }],
    },
    {
      kind: 'quantiles',
      name: 'q',
      groupBy: ['k', 'start', 'end'],
      bucket: 'b',
      count: 'n',
      accuracy: 0.01,
      quantiles: [{ column: 'p50', rank: 0.5 }],
    },
  ],
}

test('a sink is read from its table, the parts of a split one, and its views', () => {
  const tables = readableTables(table)
  expect(
    tables.map(({ name, columns, key }) => [name, columns.map(each => each.name).join(' '), key.join(' ')]),
  ).toEqual([
    ['s.t', 'k b start end n m', 'k b start end'],
    ['s.t_open', 'k b start end n m', 'k b start end'],
    ['s.t_closed', 'k b start end n m', 'k b start end'],
    ['s.h', 'k b start end n', 'k b start end'],
    ['s.q', 'k start end n p50', 'k start end'],
  ])
  expect(tables.slice(1).every(({ split, views }) => !split && views?.length === 0)).toBe(true)
  expect(readableTables({ ...table, split: false, views: [] }).map(({ name }) => name)).toEqual(['s.t'])
})
