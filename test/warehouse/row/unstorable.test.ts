import { describe, expect, it } from 'vitest'
import type { ColumnType, ColumnValue } from '../../../src/model/column.js'
import { unstorable, unstorableKey } from '../../../src/warehouse/row/unstorable.js'
import { tableSpec } from '../warehouse-contract.js'

const table = (type: ColumnType, nullable = false) =>
  tableSpec(
    'quests',
    [
      { name: 'id', type: 'int', nullable: false },
      { name: 'value', type, nullable },
    ],
    ['id'],
  )

describe('unstorable', () => {
  const refused: readonly (readonly [ColumnType, ColumnValue, RegExp])[] = [
    ['text', null, /is null, but not nullable/],
    ['int', 1.5, /the number 1.5, not a whole number/],
    ['int', 2 ** 31, /2147483648, which is beyond 32 bits/],
    ['int', -(2 ** 31) - 1, /beyond 32 bits/],
    ['int', 5n, /a bigint, not a whole number/],
    ['int', '5', /a string, not a whole number/],
    ['long', 0.5, /not a whole number/],
    ['long', Number.NaN, /NaN, not a whole number/],
    ['long', 2n ** 63n, /9223372036854775808, beyond 64 bits/],
    ['long', -(2n ** 63n) - 1n, /beyond 64 bits/],
    ['long', 2 ** 63, /beyond 64 bits/],
    ['decimal', 10n ** 38n, /over 38 digits/],
    ['decimal', Number.POSITIVE_INFINITY, /not a whole number/],
    ['double', 1n, /a bigint, not a number/],
    ['bool', 1, /not true or false/],
    ['text', 5, /the number 5, not text/],
    ['text', 'a\0b', /NUL character/],
    ['text', '🐎'.slice(0, 1), /half of a surrogate pair/],
    ['text', 'a\udc00', /half of a surrogate pair/],
    ['timestamp', 0, /not a Date/],
    ['timestamp', new Date(Number.NaN), /invalid date/],
    ['timestamp', new Date(-8_640_000_000_000_000), /before 4714-11-24 BC/],
    ['bytes', 'text', /a string, not bytes/],
  ]
  it.each(refused)('names column, reason and key: %s %o', (type, value, reason) => {
    const text = unstorable([7, value], table(type))
    expect(text).toMatch(/^column "value" of table "quests"/)
    expect(text).toMatch(reason)
    expect(text).toContain('(row with id = 7)')
  })

  const stored: readonly (readonly [ColumnType, ColumnValue])[] = [
    ['int', -(2 ** 31)],
    ['long', 2n ** 63n - 1n],
    ['long', 2 ** 62],
    ['decimal', 10n ** 38n - 1n],
    ['double', Number.NaN],
    ['text', '🐎\u0001'],
    ['timestamp', new Date(8_640_000_000_000_000)],
    ['timestamp', new Date(Date.UTC(-4713, 10, 24))],
    ['bytes', Buffer.alloc(0)],
  ]
  it.each(stored)('lets pass: %s %o', (type, value) => {
    expect(unstorable([7, value], table(type))).toBeUndefined()
  })

  it('lets null pass where the column is nullable', () => {
    expect(unstorable([7, null], table('int', true))).toBeUndefined()
  })

  it('counts the bytes of text and bytes where the column limits them', () => {
    const limited = (type: ColumnType) =>
      tableSpec(
        'quests',
        [
          { name: 'id', type: 'int', nullable: false },
          { name: 'value', type, nullable: true, maxBytes: 8 },
        ],
        ['id'],
      )
    for (const text of ['', 'abcdefgh', 'éééé', '🐎🐎', null]) {
      expect(unstorable([7, text], limited('text'))).toBeUndefined()
    }
    for (const text of ['abcdefghi', 'éééé!', '🐎🐎!', '漢漢漢']) {
      expect(unstorable([7, text], limited('text'))).toMatch(
        /^column "value" of table "quests" holds 9 bytes, more than its maxBytes of 8 \(row with id = 7\)/,
      )
    }
    expect(unstorable([7, Buffer.alloc(8)], limited('bytes'))).toBeUndefined()
    expect(unstorable([7, Buffer.alloc(9)], limited('bytes'))).toMatch(/holds 9 bytes, more than its maxBytes of 8/)
    const key = { ...limited('text'), key: ['value'] }
    expect(unstorableKey(['éééé!'], key)).toMatch(/column "value".*more than its maxBytes of 8/)
  })

  it('counts the values of a row', () => {
    expect(unstorable([7], table('int'))).toMatch(/table "quests" has 1 values for 2 columns/)
    expect(unstorableKey([7, 8], table('int'))).toMatch(/table "quests" has 2 values for 1 columns/)
  })

  it('judges keys as it judges the rows that have them', () => {
    expect(unstorableKey([7], table('int'))).toBeUndefined()
    expect(unstorableKey([7.5], table('int'))).toMatch(/column "id".*whole number/)
    const byText = tableSpec('quests', [{ name: 'k', type: 'text', nullable: false }], ['k'])
    expect(unstorableKey(['é'.repeat(1_297)], byText)).toMatch(/2602 bytes, more than an index holds/)
    expect(unstorableKey(['é'.repeat(1_296)], byText)).toBeUndefined()
  })
})
