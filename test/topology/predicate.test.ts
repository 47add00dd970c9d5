import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePredicate } from '../../src/topology/predicate.js'

const matches = (expected: unknown, value: unknown): boolean => compilePredicate({ f: expected })({ f: value })

describe('a predicate as data', () => {
  test.each<[unknown, unknown, boolean]>([
    ['a', 'a', true],
    ['a', 'A', false],
    [1, 1, true],
    [1, 1n, true],
    [1n, 1, true],
    [1n, 1.5, false],
    [1, '1', false],
    [2n ** 53n, 2 ** 53 + 2, false],
    [2n ** 53n + 1n, 2 ** 53, false],
    [2n ** 53n + 1n, 2n ** 53n + 1n, true],
    [0, -0, true],
    [Number.NaN, Number.NaN, false],
    [true, true, true],
    [true, 1, false],
    [null, null, true],
    [null, undefined, true],
    [null, 0, false],
    [0, null, false],
    [new Date(5), new Date(5), true],
    [new Date(5), 5, true],
    [5, new Date(5), true],
    [new Date(5), new Date(6), false],
    [['a', null], null, true],
    [['a', 'b'], 'b', true],
    [['a', 'b'], 'c', false],
    [[], 'a', false],
  ])('%s against %s: %s', (expected, value, result) => {
    expect(matches(expected, value)).toBe(result)
  })

  test('all fields must match, and a null value matches nothing', () => {
    const predicate = compilePredicate({ a: 1, b: 'x' })
    expect(predicate({ a: 1, b: 'x', c: 2 })).toBe(true)
    expect(predicate({ a: 1, b: 'y' })).toBe(false)
    expect(predicate({ a: 1 })).toBe(false)
    expect(predicate(null)).toBe(false)
    expect(compilePredicate({ a: 1 })(null)).toBe(false)
    expect(compilePredicate({})({ a: 1 })).toBe(true)
  })

  test('numbers and bigints are equal exactly when their values are', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), fc.integer({ min: -2, max: 2 }), (big, off) => {
        const number = Number(big) + off
        expect(matches(big, number)).toBe(BigInt(number) === big)
        expect(matches(number, big)).toBe(BigInt(number) === big)
      }),
    )
  })
})

test('a function is itself', () => {
  const predicate = (value: { a: number }): boolean => value.a > 1
  expect(compilePredicate(predicate)).toBe(predicate)
})
