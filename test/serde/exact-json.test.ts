import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExactJson } from '../../src/serde/exact-json.js'

describe('parseExactJson', () => {
  it.each([
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', 9007199254740992n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['[1, -9007199254740993 ,{"a":18446744073709551616}]', [1, -9007199254740993n, { a: 2n ** 64n }]],
    ['{"9007199254740993":"9007199254740993"}', { '9007199254740993': '9007199254740993' }],
    ['"a \\" 9007199254740993 , \\\\"', 'a " 9007199254740993 , \\'],
    ['9007199254740993.0', 9007199254740992],
    ['9007199254740993e2', 900719925474099300],
    ['0.12345678901234567', Number('0.12345678901234567')],
    ['{"a":12345678901234567890123456789012345678}', { a: 12345678901234567890123456789012345678n }],
  ])('%s', (text, value) => {
    expect(parseExactJson(text)).toStrictEqual(value)
  })

  it.each([
    '',
    '{',
    '09007199254740993',
    '[9007199254740993',
    '{"a":9007199254740993 1}',
    '"9007199254740993',
    '9007199254740993n',
  ])('refuses %s', text => {
    expect(() => parseExactJson(text)).toThrow(SyntaxError)
  })

  it('agrees with JSON.parse where that is exact, and keeps every long', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        const withLong = `[${text},1234567890123456]`
        const rounded = JSON.parse(
          JSON.stringify(parseExactJson(withLong), (_, x) => (typeof x === 'bigint' ? Number(x) : x)),
        )
        expect(rounded).toStrictEqual(JSON.parse(JSON.stringify(JSON.parse(withLong))))
      }),
    )
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.string(), (n, text) => {
        const json = `{"text":${JSON.stringify(text)},"n":${n}}`
        const parsed = parseExactJson(json) as { n: number | bigint; text: string }
        expect([BigInt(parsed.n), parsed.text]).toEqual([n, text])
        expect(typeof parsed.n).toBe(Number.isSafeInteger(Number(n)) ? 'number' : 'bigint')
      }),
    )
  })

  it('reads long texts', () => {
    const text = '\\"x'.repeat(500_000)
    expect(parseExactJson(`{"t":"${text}","n":9007199254740993}`)).toHaveProperty('n', 9007199254740993n)
  })
})
