import { describe, expect, it } from 'vitest'
import type { Column, ColumnValue } from '../../../src/model/column.js'
import { redshiftUnstorable, redshiftUnstorableKey } from '../../../src/warehouse/redshift/redshift-unstorable.js'
import { tableSpec } from '../warehouse-contract.js'

const reason = (value: ColumnValue, column: Omit<Column, 'name' | 'nullable'>, key = 'id') =>
  redshiftUnstorable(
    [1, value],
    tableSpec(
      't',
      [
        { name: 'id', type: 'int', nullable: false },
        { name: 'c', nullable: true, ...column },
      ],
      [key],
    ),
  )

describe('rows that Redshift cannot store', () => {
  it('have text or bytes that are longer than their column, in bytes', () => {
    expect(reason('é'.repeat(128), { type: 'text' })).toBeUndefined()
    expect(reason('é'.repeat(129), { type: 'text' })).toBe(
      'column "c" of table "t" holds 258 bytes of text, more than its 256 (row with id = 1)',
    )
    expect(reason('🐎', { type: 'text', maxBytes: 3 })).toMatch(/holds 4 bytes, more than its maxBytes of 3/)
    expect(reason(Buffer.alloc(64_000), { type: 'bytes' })).toBeUndefined()
    expect(reason(Buffer.alloc(9), { type: 'bytes', maxBytes: 8 })).toMatch(
      /holds 9 bytes, more than its maxBytes of 8/,
    )
  })

  it('are larger than a row of COPY', () => {
    const text = { type: 'bytes', maxBytes: 4_000_000 } as const
    expect(reason(Buffer.alloc(2_000_000), text)).toBeUndefined()
    expect(reason(Buffer.alloc(2_100_000), text)).toMatch(
      /has 42000\d\d bytes, more than a row of COPY may have: 4194304/,
    )
  })

  it('have times that no format of Redshift writes', () => {
    const time = { type: 'timestamp' } as const
    for (const fits of ['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z']) {
      expect(reason(new Date(fits), time)).toBeUndefined()
    }
    expect(reason(new Date('0000-12-31T23:59:59.999Z'), time)).toMatch(/outside the years 1 to 9999/)
    expect(reason(new Date('+010000-01-01T00:00:00.000Z'), time)).toMatch(/outside the years 1 to 9999/)
  })

  it('have doubles that are no numbers, or too small', () => {
    const double = { type: 'double' } as const
    expect([0, -0, 1e308, -2.3e-308].map(value => reason(value, double))).toEqual(Array(4).fill(undefined))
    expect(reason(Number.NaN, double)).toMatch(/holds NaN/)
    expect(reason(-Infinity, double)).toMatch(/holds -Infinity/)
    expect(reason(5e-324, double)).toMatch(/5e-324, which is too small/)
  })

  it('have a blank at the end of a text of their key, which would be the key without it', () => {
    expect(reason('a ', { type: 'text' })).toBeUndefined()
    expect(reason('a ', { type: 'text' }, 'c')).toMatch(/ends with a blank/)
    const table = tableSpec('t', [{ name: 'c', type: 'text', nullable: true }], ['c'])
    expect(redshiftUnstorableKey(['a '], table)).toMatch(/ends with a blank/)
    expect(['a', '', null].map(value => redshiftUnstorableKey([value], table))).toEqual(Array(3).fill(undefined))
  })

  it('are those of every warehouse, too', () => {
    expect(reason('a\0', { type: 'text' })).toMatch(/NUL/)
    expect(reason(10n ** 38n, { type: 'decimal' })).toMatch(/over 38 digits/)
  })
})
