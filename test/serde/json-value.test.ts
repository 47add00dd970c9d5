import { describe, expect, it } from 'vitest'
import { avroCodec } from '../../src/serde/avro-codec.js'
import { jsonValues } from '../../src/serde/json-value.js'

function through(schema: Parameters<typeof jsonValues>[0], json: unknown): unknown {
  const codec = avroCodec(schema)
  return codec.decode(codec.encode(jsonValues(schema).convert(json)))
}

const millis = { type: 'long', logicalType: 'timestamp-millis' }
const user = {
  type: 'record',
  name: 'User',
  namespace: 'a',
  fields: [
    { name: 'friend', type: ['null', 'User'], default: null },
    { name: 'name', type: { type: 'string' } },
  ],
}

describe('JSON becomes a value of', () => {
  it.each([
    ['long', 5, 5],
    ['long', 9007199254740993n, 9007199254740993n],
    ['double', 9007199254740993n, 9007199254740992],
    ['bytes', '\u0000\u00ff', Buffer.from([0, 255])],
    [{ type: 'fixed', name: 'F', size: 2 }, 'ab', Buffer.from('ab')],
    [{ type: 'enum', name: 'E', symbols: ['A'] }, 'A', 'A'],
    [millis, 1_793_491_200_000, 1_793_491_200_000],
    [millis, '2026-11-01T00:00:00Z', 1_793_491_200_000],
    [millis, '2026-11-01T01:00:00.5+01:00', 1_793_491_200_500],
    [['null', millis], '2026-11-01T00:00Z', 1_793_491_200_000],
    [['null', 'string'], null, null],
    [['null', 'string'], 'x', 'x'],
    [['null', 'string'], { string: 'x' }, 'x'],
    [['null', 'bytes'], 'x', Buffer.from('x')],
    [['null', 'long', { type: 'map', values: 'int' }], { long: 5 }, { long: 5 }],
    [['null', { type: 'map', values: 'int' }], { map: { a: 1 } }, { a: 1 }],
    [['null', { type: 'map', values: 'int' }], { map: 1 }, { map: 1 }],
    [['int', 'long'], { long: 5 }, { long: 5 }],
    [{ type: 'array', items: ['null', 'bytes'] }, [null, 'a'], [null, Buffer.from('a')]],
    [{ type: 'map', values: 'bytes' }, { a: 'b' }, { a: Buffer.from('b') }],
    [user, { name: 'x', friend: { name: 'y' } }, { name: 'x', friend: { name: 'y', friend: null } }],
    [user, { name: 'x', friend: { 'a.User': { name: 'y' } } }, { name: 'x', friend: { name: 'y', friend: null } }],
    [user, { name: 'x', friend: { User: { name: 'y' } } }, { name: 'x', friend: { name: 'y', friend: null } }],
  ])('case %#', (schema, json, value) => {
    expect(through(schema, json)).toStrictEqual(value)
  })

  it('no schema where it does not fit', () => {
    for (const [schema, json] of [
      ['long', '5'],
      ['long', 1.5],
      ['string', 5],
      ['bytes', 5],
      [millis, '2026-11-01'],
      [['int', 'long'], 5],
      [user, { friend: null }],
      [user, []],
    ] as const) {
      expect(() => through(schema, json)).toThrow('does not fit')
    }
  })

  it('a record, with fields of others named and left out', () => {
    const { convert, unknown } = jsonValues(user)
    expect(convert({ name: 'x', age: 3, friend: { name: 'y', pet: 'z' } })).toEqual({
      name: 'x',
      friend: { name: 'y' },
    })
    convert({ name: 'x', age: 3 })
    expect([...unknown]).toEqual(['a.User.age', 'a.User.pet'])
  })
})
