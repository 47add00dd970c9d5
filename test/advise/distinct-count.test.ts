import { expect, test } from 'vitest'
import { DistinctCount } from '../../src/advise/distinct-count.js'
import { PairSet } from '../../src/advise/pair-set.js'

test('pairs are told apart, and a cleared set is empty', () => {
  const set = new PairSet(2)
  for (let i = 0; i < 5_000; i++) expect(set.add(i % 100, Math.floor(i / 100))).toBe(true)
  expect([set.add(3, 4), set.size]).toEqual([false, 5_000])
  set.clear()
  expect([set.size, set.add(3, 4), set.add(3, 4), set.size]).toEqual([0, true, false, 1])
})

test('is exact while small, and near beyond', () => {
  const count = new DistinctCount()
  for (let i = 0; i < 200_000; i++) count.add(i % 50_000, -1)
  expect([count.count, count.exact]).toEqual([50_000, true])
  for (let i = 0; i < 500_000; i++) count.add(i, 7)
  expect(count.exact).toBe(false)
  expect(Math.abs(count.count / 550_000 - 1)).toBeLessThan(0.03)
})
