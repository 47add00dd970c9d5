import { describe, expect, it } from 'vitest'
import type { Column } from '../../../src/model/column.js'
import { describeKey, keyColumns, keyIdentity, keyOf } from '../../../src/warehouse/row/row-key.js'
import { tableSpec } from '../warehouse-contract.js'

const columns: Column[] = [
  { name: 'n', type: 'long', nullable: false },
  { name: 'k', type: 'text', nullable: true },
  { name: 't', type: 'timestamp', nullable: false },
]

describe('keys of rows', () => {
  it('follow the order of the key, not of the columns', () => {
    const table = tableSpec('t', columns, ['t', 'k'])
    expect(keyColumns(table).map(({ name }) => name)).toEqual(['t', 'k'])
    expect(keyOf([1, 'a', new Date(0)], table)).toEqual([new Date(0), 'a'])
  })

  it('refuse a table without a key, and a key that is no column, by name', () => {
    expect(() => keyColumns(tableSpec('quests', columns, []))).toThrow(/"quests" has no key columns/)
    expect(() => keyColumns(tableSpec('quests', columns, ['x']))).toThrow(/"quests" has no column "x"/)
  })

  it('are the same exactly when a database takes them for the same', () => {
    const one = (type: Column['type'], value: Parameters<typeof keyIdentity>[0][number]) =>
      keyIdentity([value], [{ name: 'c', type, nullable: true }])
    expect(one('long', 2 ** 60)).toBe(one('long', 2n ** 60n))
    expect(one('decimal', 7)).toBe(one('decimal', 7n))
    expect(one('double', 0)).toBe(one('double', -0))
    expect(one('double', Number.NaN)).toBe(one('double', Number.NaN))
    expect(one('text', null)).toBe(one('text', null))
    expect(one('text', 'null')).not.toBe(one('text', null))
    expect(one('timestamp', new Date(5))).not.toBe(one('timestamp', new Date(6)))
    expect(one('bytes', Buffer.from([1]))).toBe(one('bytes', Buffer.from([1])))
    const pair = [columns[1], columns[1]] as Column[]
    expect(keyIdentity(['a,b', 'c'], pair)).not.toBe(keyIdentity(['a', 'b,c'], pair))
  })

  it('are described with the names of their columns, long values cut short', () => {
    expect(describeKey([1n, 'it"s', new Date(0)], columns)).toBe('n = 1, k = "it\\"s", t = 1970-01-01T00:00:00.000Z')
    expect(describeKey([1, 'x'.repeat(5_000), new Date(Number.NaN)], columns).length).toBeLessThan(150)
    expect(describeKey([null, null, null], columns)).toBe('n = null, k = null, t = null')
  })
})
