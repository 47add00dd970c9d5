import { describe, expect, it } from 'vitest'
import { jsonDefault } from '../../src/aggregates/json-default.js'

describe('jsonDefault', () => {
  it('is the value itself where it is JSON', () => {
    const zero = { a: [1, 'x', null, true], b: { c: -1.5 } }
    expect(jsonDefault(zero)).toEqual(zero)
  })

  it('holds bytes as text of one character a byte, as Avro’s defaults do', () => {
    expect(jsonDefault({ sketch: Buffer.from([0, 255, 65]) })).toEqual({ sketch: '\u0000ÿA' })
  })

  it.each([
    [1n, 'the bigint 1'],
    [undefined, 'the undefined undefined'],
    [Number.NaN, 'the number NaN'],
    [Infinity, 'the number Infinity'],
    [new Map(), 'a Map'],
    [new Date(0), 'a Date'],
    [{ deep: [new Set()] }, 'a Set'],
  ])('refuses %s', (value, described) => {
    expect(() => jsonDefault(value)).toThrow(`The zero of an aggregator holds ${described}, which JSON cannot hold`)
    expect(() => jsonDefault(value)).toThrow(expect.objectContaining({ code: 'INVALID_TOPOLOGY' }))
  })
})
