import { expect, test } from 'vitest'
import { HotValues } from '../../src/advise/hot-values.js'

test('keeps what is frequent among many that are not, with counts that are not too high', () => {
  const hot = new HotValues<number>(50)
  const total = 20_000
  for (let i = 0; i < total; i++) hot.add(i % 10 === 0 ? -1 : i % 10 === 1 && i % 20 === 1 ? -2 : i)
  const [first, second] = hot.top(2)
  expect([first?.value, second?.value]).toEqual([-1, -2])
  for (const [found, real] of [
    [first?.count ?? 0, total / 10],
    [second?.count ?? 0, total / 20],
  ] as const) {
    expect(found).toBeLessThanOrEqual(real)
    expect(found).toBeGreaterThanOrEqual(real - total / 51)
  }
})

test('counts exactly while there is room', () => {
  const hot = new HotValues<string>(3)
  for (const value of ['a', 'b', 'a', 'c', 'a', 'b']) hot.add(value)
  expect(hot.top(5)).toEqual([
    { value: 'a', count: 3 },
    { value: 'b', count: 2 },
    { value: 'c', count: 1 },
  ])
})
