import { describe, expect, it } from 'vitest'
import type { TableSpec } from '../../../src/ports/warehouse.js'
import { MemoryRelations } from '../../../src/warehouse/memory/memory-relations.js'

const table: TableSpec = {
  name: 's.t',
  columns: [
    { name: 'k', type: 'text', nullable: false },
    { name: 'n', type: 'long', nullable: false },
  ],
  key: ['k'],
  sortKey: [],
  split: true,
}

describe('relations of the memory warehouse', () => {
  it('hold a row of a split table in one of its parts', () => {
    const relations = new MemoryRelations()
    relations.prepare(table)
    const rows = relations.rowsOf(table)
    rows.upsert(['a', 1], table, false)
    rows.close(['b', 1], table)
    rows.upsert(['b', 2], table, false)
    const parts = () => ['s.t_open', 's.t_closed', 's.t'].map(name => [...relations.read(name, ['k', 'n'])])
    expect(parts()).toEqual([
      [['a', 1]],
      [['b', 1]],
      [
        ['a', 1],
        ['b', 1],
      ],
    ])
    rows.upsert(['b', 2], table, true)
    expect(parts()).toEqual([
      [
        ['a', 1],
        ['b', 2],
      ],
      [],
      [
        ['a', 1],
        ['b', 2],
      ],
    ])
  })

  it('are not there before they are prepared', () => {
    const relations = new MemoryRelations()
    expect(() => relations.rowsOf(table)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_TABLE' }))
    expect(() => relations.read('s.t', ['k'])).toThrow('Table "s.t" does not exist')
  })

  it('change nothing when a name is taken', () => {
    const relations = new MemoryRelations()
    relations.prepare({ ...table, split: false })
    expect(() => relations.prepare(table)).toThrow('"s.t" is a table in the memory warehouse, and is to be a view')
    expect(() => relations.read('s.t_open', ['k'])).toThrow('does not exist')
  })
})
