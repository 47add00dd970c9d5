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
  it('know the last value of a row, and forget the one that was of no use for the longest time', () => {
    const remembered = new RememberedRows()
    const flushed = (key: string, value: string, atMost = 1_000) => {
      const rows = new PendingRows()
      rows.put(key, row(key, value))
      remembered.add(rows, atMost)
    }
    const knows = (key: string, value: string) => remembered.has(key, Buffer.from(value))
    for (const key of ['a', 'b', 'c']) flushed(key, '1')
    expect([knows('b', '1'), knows('c', '1'), knows('a', '1'), knows('a', '2')]).toEqual([true, true, true, false])
    flushed('d', '1')
    expect([knows('a', '1'), knows('b', '1'), knows('c', '1'), knows('d', '1')]).toEqual([true, false, true, true])
    flushed('c', '2')
    expect([knows('c', '1'), knows('c', '2'), knows('a', '1')]).toEqual([false, true, true])
  })

  it('do not know an old value of a row that takes too much memory', () => {
    const remembered = new RememberedRows()
    for (const value of ['1', 'x'.repeat(2_000)]) {
      const rows = new PendingRows()
      rows.put('a', row('a', value))
      remembered.add(rows, 1_000)
    }
    expect(remembered.has('a', Buffer.from('1'))).toBe(false)
    expect(remembered.has('a', Buffer.from('x'.repeat(2_000)))).toBe(false)
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
