import { describe, expect, it } from 'vitest'
import { fromSqlText, textExpression, toSqlText } from '../../../src/warehouse/sql/sql-type.js'

// That values survive both directions is shown on real databases, in the warehouse contract.
describe('values as SQL text', () => {
  it('writes timestamps that PostgreSQL reads under every DateStyle', () => {
    const text = (iso: string) => toSqlText(new Date(iso))
    expect(text('2026-02-03T04:05:06.007Z')).toBe('2026-02-03T04:05:06.007Z')
    expect(text('+010000-01-01T00:00:00.000Z')).toBe('10000-01-01T00:00:00.000Z')
    expect(text('0001-01-01T00:00:00.000Z')).toBe('0001-01-01T00:00:00.000Z')
    expect(text('0000-01-01T00:00:00.000Z')).toBe('0001-01-01T00:00:00.000Z BC')
    expect(text('-000043-03-15T00:00:00.000Z')).toBe('0044-03-15T00:00:00.000Z BC')
  })

  it('writes numbers exactly', () => {
    expect([2 ** 60, 2n ** 60n, 1e21, 1e300, -0, Number.NaN, -1.5].map(toSqlText)).toEqual([
      '1152921504606846976',
      '1152921504606846976',
      '1000000000000000000000',
      '1e+300',
      '-0',
      'NaN',
      '-1.5',
    ])
  })

  it('writes null, text, truth and bytes', () => {
    expect([null, 'a\\b', true, Buffer.from([0, 255])].map(toSqlText)).toEqual([null, 'a\\b', 'true', '\\x00ff'])
  })

  it('reads whole numbers beyond 2^53 as bigints, others as numbers', () => {
    expect(fromSqlText('9007199254740991', 'long')).toBe(2 ** 53 - 1)
    expect(fromSqlText('9007199254740993', 'long')).toBe(2n ** 53n + 1n)
    expect(fromSqlText('-99999999999999999999', 'decimal')).toBe(-99999999999999999999n)
    expect(fromSqlText('12', 'decimal')).toBe(12)
  })

  it('reads a text by the type of its column', () => {
    expect(fromSqlText('false', 'bool')).toBe(false)
    expect(fromSqlText('-1', 'timestamp')).toEqual(new Date(-1))
    expect(fromSqlText('00ff', 'bytes')).toEqual(Buffer.from([0, 255]))
    expect(fromSqlText('-Infinity', 'double')).toBe(Number.NEGATIVE_INFINITY)
    expect(fromSqlText('-5', 'int')).toBe(-5)
    expect(fromSqlText('', 'text')).toBe('')
    expect(fromSqlText(null, 'text')).toBeNull()
  })

  it('selects every type as text', () => {
    expect(textExpression('"c"', 'timestamp')).toBe('floor(extract(epoch FROM "c") * 1000)::text')
    expect(textExpression('"c"', 'bytes')).toBe(`encode("c", 'hex')`)
    expect(textExpression('"c"', 'long')).toBe('"c"::text')
  })
})
