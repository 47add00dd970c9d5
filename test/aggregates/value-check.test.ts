import { describe, expect, it } from 'vitest'
import { checkValue } from '../../src/aggregates/value-check.js'
import type { ColumnType } from '../../src/model/column.js'

const fitting: [ColumnType, unknown[]][] = [
  ['int', [0, -(2 ** 31), 2 ** 31 - 1]],
  ['long', [2 ** 53 - 1, 1 - 2 ** 53, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 5n]],
  ['decimal', [2 ** 53 - 1, 10n ** 38n - 1n, 1n - 10n ** 38n]],
  ['double', [0.1, Number.NaN, -Infinity, 2 ** 60]],
  ['text', ['', 'a']],
  ['bool', [true, false]],
  ['bytes', [Buffer.from('a')]],
]

const unfit: [ColumnType, unknown[]][] = [
  ['int', [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, '1', 1n, true]],
  ['long', [2 ** 53, -(2 ** 53), 2n ** 63n, -(2n ** 63n) - 1n, 1.5, '1']],
  ['decimal', [10n ** 38n, -(10n ** 38n), 1e20, 0.1]],
  ['double', [1n, '0.1', {}]],
  ['text', [1, {}, ['a']]],
  ['bool', [1, 'true']],
  ['timestamp', [0.5, Number.NaN, new Date(Number.NaN), '2024-01-01', 1n]],
  ['bytes', ['a', new Uint8Array(1)]],
]

describe('checkValue', () => {
  it.each(fitting)('takes what %s holds', (type, values) => {
    for (const value of values) expect(checkValue(type, value)).toBe(value)
  })

  it.each(unfit)('refuses what %s does not hold', (type, values) => {
    for (const value of values) {
      expect(() => checkValue(type, value)).toThrow(new RegExp(`^An expression declared as ${type} answered `))
    }
  })

  it('takes null, and undefined as null', () => {
    expect(checkValue('int', null)).toBeNull()
    expect(checkValue('timestamp', undefined)).toBeNull()
  })

  it('gives a Date for a timestamp', () => {
    const date = new Date(7)
    expect(checkValue('timestamp', date)).toBe(date)
    expect(checkValue('timestamp', 7)).toEqual(date)
    expect(() => checkValue('timestamp', 9e15)).toThrow(/a valid Date/)
  })

  it('shows text in quotes', () => {
    expect(() => checkValue('int', 'x')).toThrow(/declared as int answered "x", but must answer a whole number/)
  })
})
