import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SCALARS, type Scalar } from '../../src/aggregates/scalar.js'
import { doubles, ints, longs, texts } from './arbitraries.js'

const INPUTS: [keyof typeof SCALARS, fc.Arbitrary<unknown>][] = [
  ['int', ints],
  ['long', longs],
  ['decimal', longs],
  ['double', doubles],
  ['text', texts],
  ['bool', fc.boolean()],
  ['timestamp', fc.nat().map(ms => new Date(ms))],
  ['bytes', fc.uint8Array({ maxLength: 3 })],
]

describe.each(INPUTS)('%s', (type, inputs) => {
  const scalar = SCALARS[type] as Scalar<unknown>
  const values = inputs.map(input => scalar.normalize(input as never))
  const sign = (a: unknown, b: unknown) => Math.sign(scalar.compare(a, b))

  it('comes back from its encoding', () => {
    fc.assert(
      fc.property(values, value => {
        expect(scalar.decode(scalar.encode(value))).toEqual(value)
      }),
    )
  })

  it('is totally ordered, and equal in order only where its encoding is', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        expect(sign(a, b)).toBe(0 - sign(b, a))
        if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0)
        if (sign(a, b) === 0) expect(scalar.encode(a)).toEqual(scalar.encode(b))
      }),
      { numRuns: 500 },
    )
  })

  it('normalizes once and for all', () => {
    fc.assert(
      fc.property(values, value => {
        expect(scalar.normalize(value as never)).toEqual(value)
      }),
    )
  })
})
