import avsc from 'avsc'
import { describe, expect, it } from 'vitest'
import { canonicalForm, fingerprint } from '../../src/serde/canonical-form.js'

/** Big-endian CRC-64-AVRO from Avro's own test data (share/test/data/schema-tests.txt). */
const KNOWN = [
  ['"null"', '63dd24e7cc258f8a'],
  ['"boolean"', '9f42fc78a4d4f764'],
  ['{"type": "int"}', '7275d51a3f395c8f'],
  ['"long"', 'd054e14493f41db7'],
  ['"float"', '4d7c02cb3ea8d790'],
  ['"double"', '8e7535c032ab957e'],
  ['"bytes"', '4fc016dac3201965'],
  ['"string"', '8f014872634503c7'],
] as const

const NESTED = {
  fields: [
    { type: { type: 'int', logicalType: 'date' }, doc: 'd', name: 'day', default: 1 },
    { name: 'kind', type: { symbols: ['A'], type: 'enum', name: 'Kind', aliases: ['Old'] } },
    { name: 'again', type: ['null', 'Kind'] },
    { name: 'hash', type: { type: 'fixed', name: 'elsewhere.Hash', size: 4 } },
    { name: 'list', type: { type: 'array', items: { type: 'map', values: { type: 'long' } } } },
    {
      name: 'inner',
      type: { type: 'record', name: 'Inner', namespace: 'x.y', fields: [{ name: 'k', type: ['null', 'Inner'] }] },
    },
    { name: 'hash2', type: 'elsewhere.Hash' },
  ],
  namespace: 'test',
  doc: 'text',
  topic: 'events',
  type: 'record',
  name: 'Event',
} as const

describe('canonical form', () => {
  it.each(KNOWN)('of %s has the published fingerprint', (schema, crc) => {
    expect(
      Buffer.from(fingerprint(JSON.parse(schema)))
        .reverse()
        .toString('hex'),
    ).toBe(crc)
  })

  it('agrees with avsc', () => {
    const type = avsc.Type.forSchema(JSON.parse(JSON.stringify(NESTED)))
    expect(canonicalForm(NESTED)).toBe(JSON.stringify(type.schema()))
  })

  it('is the same for schemas that differ in nothing that is written', () => {
    const { namespace: _, doc: __, topic: ___, ...rest } = NESTED
    expect(canonicalForm({ ...rest, name: 'test.Event' })).toBe(canonicalForm(NESTED))
    expect(fingerprint({ type: { type: 'string' } })).toEqual(fingerprint('string'))
  })

  it('keeps logical types on request', () => {
    const date = { type: 'int', logicalType: 'date' }
    expect(canonicalForm(date)).toBe('"int"')
    expect(canonicalForm(date, 'keep')).toBe('{"type":"int","logicalType":"date"}')
    expect(canonicalForm({ type: 'bytes', scale: 2, logicalType: 'decimal', precision: 9 }, 'keep')).toBe(
      '{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}',
    )
    expect(canonicalForm(NESTED, 'keep')).toContain('{"name":"day","type":{"type":"int","logicalType":"date"}}')
  })
})
