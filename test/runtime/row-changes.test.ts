import { expect, test } from 'vitest'
import { Format } from '../../src/runtime/internal-value.js'
import { PendingRows } from '../../src/runtime/pending-rows.js'
import { rowChanges } from '../../src/runtime/row-changes.js'

test('rows are sorted by whether their window closed or they are gone, the last of each key', () => {
  const rows = new PendingRows()
  const put = (key: string, ...value: number[]) =>
    rows.put(key, { key: Buffer.from(key), value: value.length === 0 ? null : Buffer.from(value) })
  put('a', Format.row, 1)
  put('b', Format.row, 1)
  put('a', Format.rowClosed, 2)
  put('c', Format.rowClosed, 3)
  put('c')
  const program = {
    row: (key: Buffer, value: Buffer) => [key.toString(), Number(value[1])],
    rowKey: (key: Buffer) => [key.toString()],
  }
  expect(rowChanges(rows, program)).toEqual({ upserts: [['b', 1]], closed: [['a', 2]], deletes: [['c']] })
})
