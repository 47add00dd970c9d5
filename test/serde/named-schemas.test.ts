import { describe, expect, it } from 'vitest'
import { avroCodec } from '../../src/serde/avro-codec.js'
import { type NamedSchema, selfContained } from '../../src/serde/named-schemas.js'

const money: NamedSchema = {
  type: 'record',
  name: 'shop.Money',
  fields: [
    { name: 'cents', type: 'long' },
    { name: 'currency', type: 'Currency' },
  ],
}
const currency: NamedSchema = { type: 'enum', name: 'Currency', namespace: 'shop', symbols: ['EUR'] }
const bare: NamedSchema = { type: 'fixed', name: 'Bare', size: 2 }
const definitions = new Map([
  ['shop.Money', money],
  ['shop.Currency', currency],
  ['Bare', bare],
])

describe('a schema made self-contained', () => {
  it('has each definition where its name is used first, and the name after that', () => {
    const order = {
      type: 'record',
      name: 'Order',
      namespace: 'shop',
      fields: [
        { name: 'price', type: 'Money' },
        { name: 'paid', type: ['null', { type: 'array', items: 'shop.Money' }], default: null },
        { name: 'tax', type: { type: 'map', values: 'Currency' } },
      ],
    }
    const whole = selfContained(order, definitions)
    expect(() => avroCodec(order)).toThrow()
    const value = { price: { cents: 1, currency: 'EUR' }, paid: [{ cents: 2, currency: 'EUR' }], tax: { a: 'EUR' } }
    const codec = avroCodec(whole)
    expect(codec.decode(codec.encode(value))).toEqual(value)
    expect(JSON.stringify(whole).match(/"cents"/g)).toHaveLength(1)
  })

  it('keeps definitions without a namespace out of the one around them', () => {
    const outer = { type: 'record', name: 'n.Outer', fields: [{ name: 'bare', type: 'Bare' }] }
    expect(selfContained(outer, definitions)).toEqual(outer)
    const plain = { type: 'record', name: 'Outer', fields: [{ name: 'bare', type: 'Bare' }] }
    expect(selfContained(plain, definitions)).toEqual({
      ...plain,
      fields: [{ name: 'bare', type: { ...bare, namespace: '' } }],
    })
  })

  it('stays as it is where it refers to nothing', () => {
    const plain = {
      type: 'record',
      name: 'A',
      doc: 'x',
      topic: 't',
      fields: [{ name: 'a', type: { type: 'long', logicalType: 'timestamp-millis' } }],
    }
    expect(selfContained(plain, definitions)).toEqual(plain)
    expect(selfContained('long', definitions)).toBe('long')
  })
})
