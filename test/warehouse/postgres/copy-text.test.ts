import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyText } from '../../../src/warehouse/postgres/copy-text.js'

/** Reads COPY's text format as its documentation describes it. */
function parse(text: string): (string | null)[][] {
  const unescaped: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
  const lines = text.split('\n').slice(0, -1)
  return lines.map(line =>
    line
      .split('\t')
      .map(field => (field === '\\N' ? null : field.replace(/\\(.)/g, (_, c: string) => unescaped[c] ?? c))),
  )
}

describe('copyText', () => {
  it('writes what a reader of the format reads back', () => {
    const field = fc.option(
      fc.string({ unit: fc.constantFrom('\\', 'N', '\n', '\t', '\r', '\b', '\f', '\v', '.', 'a', '🐎') }),
    )
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), rows => {
        expect(parse(Buffer.concat([...copyText(rows)]).toString())).toEqual(rows)
      }),
    )
  })

  it('is written in chunks, not as one text', () => {
    const rows = Array.from({ length: 4_000 }, () => ['x'.repeat(100), null])
    const chunks = [...copyText(rows)]
    expect(chunks.length).toBeGreaterThan(4)
    expect(Math.max(...chunks.map(chunk => chunk.length))).toBeLessThan(100_000)
    expect(parse(Buffer.concat(chunks).toString())).toEqual(rows)
  })

  it('of no rows is empty', () => expect([...copyText([])]).toEqual([]))
})
