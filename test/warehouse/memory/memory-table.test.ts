import { describe, expect, it } from 'vitest'
import { MemoryTable } from '../../../src/warehouse/memory/memory-table.js'
import { NOW, questTable } from '../warehouse-contract.js'

const names = ['quest_type', 'window_start', 'events', 'gold']

describe('MemoryTable', () => {
  it('keeps copies and gives bigints back as a database does', () => {
    const spec = questTable('quests')
    const table = new MemoryTable(spec)
    const time = new Date(NOW)
    table.upsert(['a', time, 5n, 2n ** 60n], spec)
    time.setTime(0)
    expect([...table.read(names)]).toEqual([['a', new Date(NOW), 5, 2n ** 60n]])
  })

  it('keeps the values of columns that a sink does not write', () => {
    const spec = questTable('quests')
    const narrow = { ...spec, columns: spec.columns.filter(({ name }) => name !== 'gold') }
    const table = new MemoryTable(spec)
    table.upsert(['a', new Date(NOW), 1, 9], spec)
    table.adopt(narrow)
    table.upsert(['a', new Date(NOW), 2], narrow)
    expect([...table.read(names)]).toEqual([['a', new Date(NOW), 2, 9]])
  })

  it('reads rows as of the call’s first step, whatever changes meanwhile', () => {
    const spec = questTable('quests')
    const table = new MemoryTable(spec)
    for (const type of ['a', 'b', 'c']) table.upsert([type, new Date(NOW), 1, null], spec)
    const seen: unknown[] = []
    for (const [type] of table.read(['quest_type'])) {
      seen.push(type)
      table.delete(['c', new Date(NOW)], spec)
    }
    expect(seen).toEqual(['a', 'b', 'c'])
  })
})
