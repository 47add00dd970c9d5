import { describe, expect, it } from 'vitest'
import { PendingRows, RememberedRows } from '../../src/runtime/pending-rows.js'

const row = (key: string, value: string | null) => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
})

describe('rows that wait for a flush', () => {
  it('count the memory of the last row of each key', () => {
    const rows = new PendingRows()
    rows.put('a', row('a', 'x'.repeat(1_000)))
    const one = rows.bytes
    expect(one).toBeGreaterThan(1_000)
    rows.put('a', row('a', 'x'))
    expect(rows.bytes).toBe(one - 999)
    rows.put('b', row('b', null))
    expect(rows.size).toBe(2)
    expect(rows.bytes).toBe(2 * (one - 1_000) + 1)
  })

  it('are replaced by newer ones', () => {
    const older = new PendingRows()
    older.put('a', row('a', '1'))
    older.put('b', row('b', '1'))
    const newer = new PendingRows()
    newer.put('a', row('a', '22'))
    const before = older.bytes
    older.putAll(newer)
    expect(older.byId.get('a')?.value?.toString()).toBe('22')
    expect(older.bytes).toBe(before + 1)
  })
})

describe('remembered rows', () => {
  it('know the last value of a row until there are too many', () => {
    const remembered = new RememberedRows()
    const rows = new PendingRows()
    rows.put('a', row('a', '1'))
    remembered.add(rows, 1_000)
    expect(remembered.has('a', Buffer.from('1'))).toBe(true)
    expect(remembered.has('a', Buffer.from('2'))).toBe(false)
    const more = new PendingRows()
    more.put('b', row('b', 'x'.repeat(900)))
    remembered.add(more, 1_000)
    expect(remembered.has('a', Buffer.from('1'))).toBe(false)
    expect(remembered.has('b', Buffer.from('x'.repeat(900)))).toBe(true)
  })

  it('forget what was deleted', () => {
    const remembered = new RememberedRows()
    for (const value of ['1', null]) {
      const rows = new PendingRows()
      rows.put('a', row('a', value))
      remembered.add(rows, 10_000)
    }
    expect(remembered.has('a', Buffer.from('1'))).toBe(false)
  })
})
