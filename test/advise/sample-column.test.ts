import { expect, test } from 'vitest'
import { NULL_CODE, SampleColumn } from '../../src/advise/sample-column.js'

const hash = (value: unknown): number => Number(String(value).replace(/\D/g, '') || 0)

test('few values are numbered and counted', () => {
  const column = new SampleColumn(hash)
  for (const value of ['a', 'b', null, 'a', '  ', undefined]) column.add(value)
  expect([...column.codes.subarray(0, column.length)]).toEqual([0, 1, NULL_CODE, 0, 2, NULL_CODE])
  expect([column.cardinality, column.nulls, column.blanks, column.longestBytes]).toEqual([3, 2, 1, 2])
  expect(column.hottest(1)).toEqual([{ value: 'a', count: 2 }])
})

test('many values are hashed, and the frequent ones stay known', () => {
  const column = new SampleColumn(hash)
  const total = 400_000
  for (let i = 0; i < total; i++) column.add(i % 20 === 0 ? 'v7' : `v${i + 1_000}`)
  expect(column.exact).toBe(false)
  expect(Math.abs(column.cardinality / (0.95 * total) - 1)).toBeLessThan(0.03)
  expect([column.codes[0], column.codes[1], column.codes[total - 1]]).toEqual([7, 1_001, total + 999])
  const [hottest] = column.hottest(1)
  expect(hottest?.value).toBe('v7')
  expect(hottest?.count).toBeLessThanOrEqual(total / 20)
  expect(hottest?.count).toBeGreaterThan(total / 20 - total / 1_000)
})
