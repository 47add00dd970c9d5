import { describe, expect, it } from 'vitest'
import { int } from '../../src/aggregates/field.js'
import type { HyperLogLog } from '../../src/aggregates/hyper-log-log.js'
import { hyperLogLogMeasure, type SketchAnswer } from '../../src/aggregates/hyper-log-log-measure.js'
import { resultOf } from './laws.js'

const BITS: SketchAnswer<number> = {
  name: 'index-bits',
  result: (state: HyperLogLog) => state.indexBits,
  column: 'int',
  resultSchema: 'int',
}
const measure = (given?: number, answer = BITS) =>
  hyperLogLogMeasure('indexBits', 'userId', {}, { given, default: 0.1 }, answer)

describe('hyperLogLogMeasure', () => {
  it.each([
    [undefined, 7],
    [0.26, 4],
    [0.023, 11],
    [0.0040625, 16],
  ])('has for a standard error of %s the registers of %d bits', (given, bits) => {
    expect(resultOf(measure(given).resolve('text'), ['a'])).toBe(bits)
  })

  it('says what it answers in signature and column, and how long that is where it knows', () => {
    const plain = measure().resolve('long')
    expect(plain).toMatchObject({ signature: 'index-bits(long, 128 registers)', column: 'int', resultSchema: 'int' })
    expect(plain).not.toHaveProperty('maxBytes')
    expect(measure(0.26, { ...BITS, maxBytes: bits => 10 * bits }).resolve('long').maxBytes).toBe(40)
  })

  it('keeps input and filter as data', () => {
    const input = int(() => 1)
    const standardError = { given: undefined, default: 0.1 }
    const made = hyperLogLogMeasure('indexBits', input, { where: { eventType: 'WON' } }, standardError, BITS)
    expect(made).toMatchObject({ kind: 'indexBits', input, where: { eventType: 'WON' } })
  })

  it('names the measure that has a wrong standard error or input', () => {
    expect(() => measure(0.27)).toThrow(/^The standardError of indexBits is 0.27, .* Leave it out for 0.1\.$/)
    expect(() => measure().resolve('bytes')).toThrow(
      /^indexBits\('userId'\): indexBits takes int, long, double, text, /,
    )
  })
})
