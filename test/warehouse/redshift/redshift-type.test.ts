import { describe, expect, it } from 'vitest'
import type { ColumnType, ColumnValue } from '../../../src/model/column.js'
import { catalogName, quoteName, quoteNames } from '../../../src/warehouse/redshift/redshift-name.js'
import { fromRedshiftText, literal, redshiftType } from '../../../src/warehouse/redshift/redshift-type.js'

// That values survive both directions is shown in the warehouse contract.
describe('values and names in Redshift', () => {
  it('are literals of their type', () => {
    const text = (value: ColumnValue, type: ColumnType) => literal(value, { name: 'c', type, nullable: true })
    expect(text("it's \\ one", 'text')).toBe(`'it''s \\\\ one'`)
    expect(text(-(2n ** 63n), 'long')).toBe(`'-9223372036854775808'::bigint`)
    expect(text(null, 'long')).toBe('NULL')
    expect(text(false, 'bool')).toBe('false')
    expect(text(Buffer.from([0, 255]), 'bytes')).toBe(`to_varbyte('00ff', 'hex')`)
    expect(text(new Date(-1), 'timestamp')).toBe(`'1969-12-31 23:59:59.999'::timestamp without time zone`)
  })

  it('are read by the type of their column', () => {
    expect(fromRedshiftText('1969-12-31 23:59:59.999', 'timestamp')).toEqual(new Date(-1))
    expect([fromRedshiftText('t', 'bool'), fromRedshiftText('f', 'bool')]).toEqual([true, false])
    expect(fromRedshiftText('-0', 'double')).toBe(-0)
    expect(fromRedshiftText(null, 'long')).toBeNull()
  })

  it('have the lengths that are declared, in bytes', () => {
    expect(redshiftType({ type: 'text' })).toBe('character varying(256)')
    expect(redshiftType({ type: 'text', maxBytes: 20 })).toBe('character varying(20)')
    expect(redshiftType({ type: 'bytes', maxBytes: 4_160 })).toBe('varbyte(4160)')
  })

  it('are lower case, as Redshift makes ASCII letters of quoted names', () => {
    expect(catalogName('QuestTypeÄ')).toBe('questtypeÄ')
    expect(quoteNames(['A"b', 'select'])).toBe('"a""b", "select"')
    expect(quoteName('x'.repeat(127))).toHaveLength(129)
    for (const name of ['', 'x'.repeat(128), 'é'.repeat(64), 'a\0b']) {
      expect(() => quoteName(name)).toThrow(expect.objectContaining({ code: 'WAREHOUSE_TABLE' }))
    }
  })
})
