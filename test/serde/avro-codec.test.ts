import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/model/errors.js'
import { avroCodec } from '../../src/serde/avro-codec.js'

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown.code
    throw thrown
  }
  return 'nothing thrown'
}

const EVENT = {
  type: 'record',
  name: 'Event',
  namespace: 'test',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'gold', type: 'int' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'big', type: ['null', 'long'] },
    { name: 'ratio', type: 'double' },
    { name: 'small', type: 'float' },
    { name: 'flag', type: 'boolean' },
    { name: 'raw', type: 'bytes' },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 } },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'scores', type: { type: 'map', values: 'long' } },
    { name: 'inner', type: { type: 'record', name: 'Inner', fields: [{ name: 'kind', type: 'Kind' }] } },
  ],
} as const

const value = {
  id: 'quest–ü',
  kind: 'B',
  gold: -7,
  at: 1_793_491_200_000,
  big: null,
  ratio: 0.1,
  small: 0.5,
  flag: true,
  raw: Buffer.from([0, 255]),
  hash: Buffer.from([1, 2, 3]),
  tags: ['a', ''],
  scores: { x: 1, ['__proto__']: 2 },
  inner: { kind: 'A' },
}

const long = () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const exact = (n: bigint) => (n >= -(2n ** 53n - 1n) && n <= 2n ** 53n - 1n ? Number(n) : n)

describe('values', () => {
  it('come back as plain objects with the types that the port names', () => {
    const codec = avroCodec(EVENT)
    expect(codec.decode(codec.encode(value))).toStrictEqual(value)
  })

  it('are the same in a part of a larger buffer', () => {
    const codec = avroCodec(EVENT)
    const bytes = codec.encode(value)
    const packed = Buffer.concat([Buffer.from([1, 2, 3]), bytes, bytes])
    expect(codec.decode(packed, 3, 3 + bytes.length)).toStrictEqual(value)
    expect(codeOf(() => codec.decode(packed, 3, 4 + bytes.length))).toBe('UNDECODABLE')
    expect(codeOf(() => codec.decode(packed, 3, 2 + bytes.length))).toBe('UNDECODABLE')
  })

  it('share no memory with the bytes that they were read from', () => {
    const codec = avroCodec('bytes')
    const bytes = codec.encode(Buffer.from('abc'))
    const read = codec.decode(bytes) as Buffer
    bytes.fill(0)
    expect(read.toString()).toBe('abc')
  })

  it('may be larger than any buffer so far', () => {
    const codec = avroCodec({ type: 'array', items: 'string' })
    const large = Array.from({ length: 5_000 }, (_, i) => `${'ü'.repeat(i % 200)}${i}`)
    expect(codec.decode(codec.encode(large))).toStrictEqual(large)
  })

  it('keep any text', () => {
    const codec = avroCodec('string')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), text => {
        const bytes = codec.encode(text)
        expect(bytes.subarray(bytes.length - Buffer.byteLength(text)).toString('utf8')).toBe(text)
        expect(codec.decode(bytes)).toBe(text)
      }),
    )
  })

  it('keep any double', () => {
    const codec = avroCodec('double')
    fc.assert(
      fc.property(fc.double(), x => {
        expect(codec.decode(codec.encode(x))).toBe(x)
      }),
    )
  })
})

describe('longs', () => {
  /** Zigzag and base 128 with bigints, from the specification. */
  function specified(n: bigint): Buffer {
    const bytes: number[] = []
    let zigzag = BigInt.asUintN(64, (n << 1n) ^ (n >> 63n))
    for (; zigzag > 127n; zigzag >>= 7n) bytes.push(Number(zigzag & 127n) | 128)
    return Buffer.from([...bytes, Number(zigzag)])
  }

  const edges = [53n, 52n, 31n, 30n, 28n, 27n, 26n, 62n, 35n, 34n].flatMap(bits =>
    [-2n, -1n, 0n, 1n, 2n].flatMap(by => [2n ** bits + by, -(2n ** bits) + by]),
  )
  const all = [...edges, 0n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n]

  it.each(['long', ['null', 'long']])('are exact over 64 bits in %j', schema => {
    const codec = avroCodec(schema)
    const prefix = schema === 'long' ? Buffer.alloc(0) : Buffer.from([2])
    const check = (n: bigint) => {
      const bytes = codec.encode(n)
      expect(bytes).toEqual(Buffer.concat([prefix, specified(n)]))
      expect(codec.decode(bytes)).toBe(exact(n))
      expect(codec.encode(exact(n))).toEqual(bytes)
    }
    for (const n of all) check(n)
    fc.assert(fc.property(long(), check), { numRuns: 2_000 })
  })

  it('beyond 64 bits, fractions and unsafe numbers are refused', () => {
    const codec = avroCodec('long')
    for (const bad of [2n ** 63n, -(2n ** 63n) - 1n, 0.5, 2 ** 53, Number.NaN, '1', null]) {
      expect(codeOf(() => codec.encode(bad))).toBe('UNENCODABLE')
    }
    expect(codeOf(() => codec.decode(Buffer.from('ffffffffffffffffff02', 'hex')))).toBe('UNDECODABLE')
    expect(codeOf(() => codec.decode(Buffer.from('80808080808080808080808001', 'hex')))).toBe('UNDECODABLE')
    expect(codec.decode(Buffer.from('ffffffffffffffffff01', 'hex'))).toBe(-(2n ** 63n))
  })

  it('of a writer become rounded doubles of a reader', () => {
    const read = avroCodec('double').reading('long')
    fc.assert(
      fc.property(long(), n => {
        expect(read(avroCodec('long').encode(n))).toBe(Number(n))
      }),
    )
  })
})

describe('unions', () => {
  it('hold plain values where the branches differ, else an object with the branch name', () => {
    const plain = avroCodec(['null', 'string', 'long', { type: 'map', values: 'int' }])
    for (const one of [null, 'x', 5, 2n ** 60n, { a: 1 }]) expect(plain.decode(plain.encode(one))).toStrictEqual(one)
    const wrapped = avroCodec(['null', 'int', 'long'])
    expect(wrapped.decode(wrapped.encode(null))).toBe(null)
    expect(wrapped.decode(wrapped.encode({ long: 2n ** 60n }))).toStrictEqual({ long: 2n ** 60n })
    expect(codeOf(() => wrapped.encode(5))).toBe('UNENCODABLE')
  })
})

describe('a value that does not fit', () => {
  const codec = avroCodec(EVENT)

  it.each([
    [{ ...value, gold: 2 ** 31 }, 'field "gold" is 2147483648, not int'],
    [{ ...value, big: 2n ** 70n }, 'field "big"'],
    [{ ...value, at: '2026' }, 'field "at" is "2026", not long'],
    [{ ...value, kind: 'constructor' }, 'field "kind" is "constructor", not test.Kind'],
    [{ ...value, inner: { kind: 'C' } }, 'field "inner.kind"'],
    [{ ...value, tags: ['a', 3] }, 'field "tags.1" is 3, not string'],
    [{ ...value, scores: { x: 1.5 } }, 'field "scores.x"'],
    [{ ...value, hash: Buffer.alloc(4) }, 'field "hash" is a Buffer'],
    [{ ...value, id: undefined }, 'field "id" is undefined'],
    [null, 'schema "test.Event"'],
  ])('is refused by name', (bad, sentence) => {
    expect(codeOf(() => codec.encode(bad))).toBe('UNENCODABLE')
    expect(() => codec.encode(bad)).toThrow(sentence)
    expect(codec.decode(codec.encode(value))).toStrictEqual(value)
  })
})

describe('evolution', () => {
  const v1 = {
    type: 'record',
    name: 'State',
    fields: [
      { name: 'count', type: 'int' },
      { name: 'gone', type: { type: 'array', items: 'string' } },
      { name: 'max', type: ['null', 'long'] },
    ],
  } as const
  const v2 = {
    type: 'record',
    name: 'State',
    fields: [
      { name: 'max', type: ['null', 'long', 'string'] },
      { name: 'count', type: 'long' },
      { name: 'sum', type: 'long', default: 0 },
      { name: 'list', type: { type: 'array', items: 'int' }, default: [] },
      { name: 'opt', type: ['null', 'long'], default: null },
    ],
  } as const

  it('reads old bytes with the new schema', () => {
    const bytes = avroCodec(v1).encode({ count: 3, gone: ['a', 'b'], max: 2n ** 60n })
    const read = avroCodec(v2).reading(v1)
    expect(read(bytes)).toStrictEqual({ max: 2n ** 60n, count: 3, sum: 0, list: [], opt: null })
    expect(codeOf(() => read(bytes, 0, bytes.length - 1))).toBe('UNDECODABLE')
  })

  it('gives every value its own default', () => {
    const read = avroCodec(v2).reading(v1)
    const bytes = avroCodec(v1).encode({ count: 3, gone: [], max: null })
    const first = read(bytes) as { list: number[] }
    first.list.push(1)
    expect(read(bytes)).toHaveProperty('list', [])
  })

  it('refuses a change that cannot be read, naming both', () => {
    const other = { ...v1, name: 'Other' }
    const strict = { ...v2, fields: [...v2.fields, { name: 'strict', type: 'int' }] }
    expect(codeOf(() => avroCodec(strict).reading(v1))).toBe('INVALID_SCHEMA')
    expect(() => avroCodec(other).reading(v1)).toThrow(/"State".*"Other"/s)
    expect(codeOf(() => avroCodec('int').reading('long'))).toBe('INVALID_SCHEMA')
  })

  it('ignores namespaces, as the specification does', () => {
    const moved = { ...v1, namespace: 'elsewhere' }
    const bytes = avroCodec(v1).encode({ count: 3, gone: [], max: null })
    expect(avroCodec(moved).reading(v1)(bytes)).toHaveProperty('count', 3)
  })
})

describe('schemas', () => {
  it.each([
    ['strnig'],
    [{ type: 'record', name: 'A' }],
    [{ type: 'record', name: 'a b', fields: [] }],
    [{ type: 'enum', name: 'E', symbols: ['a', 'a'] }],
    [{ type: 'record', name: 'A', fields: [{ name: 'x', type: 'int', default: 'no' }] }],
    [['null', 'null']],
    [{ type: 'record', name: 'A(){}', fields: [] }],
  ])('%j is refused', schema => {
    expect(codeOf(() => avroCodec(schema))).toBe('INVALID_SCHEMA')
  })
})

describe('bytes of others', () => {
  const list = { type: 'record', name: 'List', fields: [{ name: 'next', type: ['null', 'List'] }] } as const

  it.each([
    ['a string of 2^31 bytes', 'string', '8080808010'],
    ['bytes of 2^31', 'bytes', '8080808010'],
    ['bytes of a negative length', 'bytes', '01'],
    ['an array of 2^31 nulls', { type: 'array', items: 'null' }, '808080801000'],
    ['an array of 2^62 nulls', { type: 'array', items: 'null' }, '80808080808080808001'],
    ['an array of 2^31 strings', { type: 'array', items: 'string' }, '808080801000'],
    ['a map of 2^31 nulls', { type: 'map', values: 'null' }, '8080808010'],
    [
      'arrays of 65,000 nulls by the hundred',
      { type: 'array', items: { type: 'array', items: 'null' } },
      `c801${'d0f70700'.repeat(100)}00`,
    ],
    ['a list of 100,000 links', list, '02'.repeat(100_000)],
    ['a boolean of 2', 'boolean', '02'],
    ['an int of 40 bits', 'int', '808080808001'],
    ['an unknown union branch', ['null', 'int'], '06'],
    ['an unknown symbol', { type: 'enum', name: 'E', symbols: ['A'] }, '02'],
    ['nothing', 'int', ''],
  ])('%s: refused at once', (_, schema, hex) => {
    const started = performance.now()
    expect(codeOf(() => avroCodec(schema).decode(Buffer.from(hex, 'hex')))).toBe('UNDECODABLE')
    expect(performance.now() - started).toBeLessThan(500)
  })

  it('a skipped block whose size leads backwards does not hang', () => {
    const writer = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: { type: 'array', items: 'int' } },
        { name: 'b', type: 'int' },
      ],
    }
    const reader = { type: 'record', name: 'R', fields: [{ name: 'b', type: 'int' }] }
    const read = avroCodec(reader).reading(writer)
    expect(codeOf(() => read(Buffer.from('010302', 'hex')))).toBe('UNDECODABLE')
    expect(read(Buffer.from('03040204000a', 'hex'))).toStrictEqual({ b: 5 })
  })

  it('many elements without bytes are read', () => {
    const codec = avroCodec({ type: 'array', items: 'null' })
    expect(codec.decode(codec.encode(Array(60_000).fill(null)))).toHaveLength(60_000)
  })

  it('random bytes give a value or UNDECODABLE, within memory and time', () => {
    const codec = avroCodec(EVENT)
    const reading = avroCodec({ type: 'record', name: 'Event', fields: [{ name: 'flag', type: 'boolean' }] }).reading(
      EVENT,
    )
    const valid = codec.encode(value)
    const flipped = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map(flips => {
        const bytes = Buffer.from(valid)
        for (const [at, byte] of flips) bytes[at] = byte
        return bytes
      })
    const random = fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(flipped, random), bytes => {
        for (const decode of [codec.decode, reading]) {
          expect(['UNDECODABLE', 'nothing thrown']).toContain(codeOf(() => decode(bytes)))
        }
      }),
      { numRuns: 5_000 },
    )
  })
})
