import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareText, wellFormed } from '../../src/aggregates/text-order.js'
import { texts } from './arbitraries.js'

describe('compareText', () => {
  it('is the order of the UTF-8 bytes', () => {
    fc.assert(
      fc.property(texts.map(wellFormed), texts.map(wellFormed), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { numRuns: 1000 },
    )
  })

  it('puts surrogate pairs above U+FFFF, where their UTF-16 is not', () => {
    expect('\u{10000}' < '\uffff').toBe(true)
    expect(compareText('\u{10000}', '\uffff')).toBeGreaterThan(0)
  })
})

describe('wellFormed', () => {
  it('is the text behind a trip through UTF-8', () => {
    fc.assert(
      fc.property(texts, text => {
        expect(wellFormed(text)).toBe(Buffer.from(text).toString())
      }),
    )
    expect(wellFormed('a\ud800b')).toBe('a\ufffdb')
  })
})
