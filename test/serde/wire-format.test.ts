import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { MillraceError } from '../../src/model/errors.js'
import { RecordBatchBuilder } from '../../src/model/record-batch.js'
import type { SchemaRegistry } from '../../src/ports/schema-registry.js'
import type { WireReader } from '../../src/ports/serde.js'
import { avroSerde } from '../../src/serde/avro-serde.js'

const v1 = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'gold', type: 'int' },
    { name: 'old', type: { type: 'map', values: 'string' } },
  ],
} as const
const v2 = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'gold', type: 'long' },
    { name: 'kind', type: 'string', default: 'unknown' },
    { name: 'id', type: 'string' },
  ],
} as const

/** A registry of numbered schemas that counts what it is asked. */
function numbered(schemas: AvroSchema[] = []) {
  const asked: number[] = []
  const registry: SchemaRegistry = {
    async register(_subject, schema) {
      return schemas.push(schema)
    },
    async schema(id) {
      asked.push(id)
      return schemas[id - 1]
    },
  }
  return { registry, asked, schemas }
}

function errorOf(run: () => unknown): MillraceError {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown
    throw thrown
  }
  throw new Error('nothing thrown')
}

async function read(reader: WireReader, bytes: Buffer): Promise<unknown> {
  const id = reader.missingId(bytes, 0, bytes.length)
  if (id !== undefined) await reader.prepare(id)
  return reader.tryDecode(bytes, 0, bytes.length)
}

afterEach(() => {
  vi.useRealTimers()
})

describe('wire format', () => {
  it('is byte 0, the id as big-endian int32, and Avro', async () => {
    const { registry } = numbered(Array(258).fill('int'))
    const writer = await avroSerde(registry).writer('topic-value', 'long')
    expect(writer.id).toBe(259)
    expect(writer.encode(-1)).toEqual(Buffer.from('000000010301', 'hex'))
    expect(() => writer.encode('x')).toThrow('long')
  })

  it('is read synchronously once the schema is known, asked for once', async () => {
    const { registry, asked } = numbered()
    const serde = avroSerde(registry)
    const value = { id: 'a', gold: 5, old: {} }
    const bytes = (await serde.writer('t-value', v1)).encode(value)
    const reader = serde.reader(v1)
    expect(reader.tryDecode(bytes, 0, bytes.length)).toBeUndefined()
    expect(reader.missingId(bytes, 0, bytes.length)).toBe(1)
    await reader.prepare(1)
    await reader.prepare(1)
    expect(reader.missingId(bytes, 0, bytes.length)).toBeUndefined()
    expect(reader.tryDecode(bytes, 0, bytes.length)).toStrictEqual(value)
    expect(asked).toEqual([1])
  })

  it('is read from packed batches, records of several writers side by side', async () => {
    const { registry } = numbered()
    const serde = avroSerde(registry)
    const [old, current] = [await serde.writer('t-value', v1), await serde.writer('t-value', v2)]
    const reader = serde.reader(v2)
    const builder = new RecordBatchBuilder('t', 0)
    for (let i = 0; i < 100; i++) {
      const bytes =
        i % 2 === 0
          ? old.encode({ id: `${i}`, gold: i, old: { a: 'b' } })
          : current.encode({ id: `${i}`, gold: i, kind: 'k' })
      builder.add(i, 0, Buffer.from('key'), bytes)
    }
    await reader.prepare(1)
    await reader.prepare(2)
    const batch = builder.build()
    for (let i = 0; i < 100; i++) {
      const value = reader.tryDecode(batch.data, batch.valueStart[i] as number, batch.valueLength[i] as number)
      expect(value).toStrictEqual({ gold: i, kind: i % 2 === 0 ? 'unknown' : 'k', id: `${i}` })
    }
  })

  it('skips the bytes of fields that the reader leaves out, whatever is in them', async () => {
    const { registry } = numbered()
    const serde = avroSerde(registry)
    const bytes = (await serde.writer('t-value', v1)).encode({ id: 'aaaa', gold: 5, old: { x: 'y' } })
    const reader = serde.reader({ type: 'record', name: 'Event', fields: [{ name: 'gold', type: 'int' }] })
    expect(await read(reader, bytes)).toStrictEqual({ gold: 5 })
    const longer = Buffer.concat([bytes, Buffer.from([0])])
    expect(errorOf(() => reader.tryDecode(longer, 0, longer.length)).code).toBe('UNDECODABLE')
    expect(reader.tryDecode(longer, 0, bytes.length)).toStrictEqual({ gold: 5 })
  })
})

describe('what cannot be read', () => {
  it('too short or without byte 0 is undecodable and never asks the registry', () => {
    const reader = avroSerde(numbered().registry).reader(v1)
    for (const hex of ['', '00', '00000001', '7b226964223a317d']) {
      const bytes = Buffer.from(hex, 'hex')
      expect(reader.missingId(bytes, 0, bytes.length)).toBeUndefined()
      expect(errorOf(() => reader.tryDecode(bytes, 0, bytes.length)).code).toBe('UNDECODABLE')
    }
  })

  it('an unknown id is said so, and asked for again after 10 seconds', async () => {
    vi.useFakeTimers()
    const { registry, asked, schemas } = numbered()
    const reader = avroSerde(registry).reader('long')
    const bytes = Buffer.from('000000000102', 'hex')
    await reader.prepare(1)
    const error = errorOf(() => reader.tryDecode(bytes, 0, 6))
    expect([error.code, error.message]).toEqual(['UNKNOWN_SCHEMA_ID', expect.stringContaining('id 1')])
    expect(reader.missingId(bytes, 0, 6)).toBeUndefined()
    schemas.push('long')
    vi.advanceTimersByTime(10_001)
    expect(reader.tryDecode(bytes, 0, 6)).toBeUndefined()
    expect(await read(reader, bytes)).toBe(1)
    expect(asked).toEqual([1, 1])
  })

  it('a registry out of reach is no answer', async () => {
    const { registry } = numbered(['long'])
    let up = false
    const flaky: SchemaRegistry = {
      register: registry.register,
      schema: async id => {
        if (!up) throw new Error('connection refused')
        return registry.schema(id)
      },
    }
    const reader = avroSerde(flaky).reader('long')
    const bytes = Buffer.from('000000000102', 'hex')
    await expect(reader.prepare(1)).rejects.toThrow('connection refused')
    expect(reader.missingId(bytes, 0, 6)).toBe(1)
    up = true
    expect(await read(reader, bytes)).toBe(1)
  })

  it('a writer whose schema is not readable is refused naming both, and asked for once', async () => {
    const { registry, asked } = numbered([v1, 'strnig'])
    const reader = avroSerde(registry).reader({ ...v2, name: 'Other' })
    const bytes = Buffer.from('000000000100', 'hex')
    await reader.prepare(1)
    const error = errorOf(() => reader.tryDecode(bytes, 0, 6))
    expect(error.code).toBe('INVALID_SCHEMA')
    expect(error.message).toMatch(/"Event" \(schema id 1\).*"Other"/)
    expect(reader.missingId(bytes, 0, 6)).toBeUndefined()
    await reader.prepare(2)
    expect(errorOf(() => reader.tryDecode(Buffer.from('0000000002', 'hex'), 0, 5)).code).toBe('INVALID_SCHEMA')
    expect(asked).toEqual([1, 2])
  })

  it('random bytes and flipped bits give a value or an error of ours, and never a byte of the next record', async () => {
    const { registry } = numbered()
    const serde = avroSerde(registry)
    const valid = (await serde.writer('t-value', v1)).encode({ id: 'quest', gold: 300, old: { a: 'b', c: 'd' } })
    const readers = [serde.reader(v1), serde.reader(v2)]
    for (const reader of readers) await reader.prepare(1)
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map(tail => Buffer.from([0, 0, 0, 0, 1, ...tail])),
      fc.uint8Array({ maxLength: 60 }).map(random => Buffer.from(random)),
      fc.array(fc.nat(valid.length * 8 - 1), { minLength: 1, maxLength: 5 }).map(bits => {
        const flipped = Buffer.from(valid)
        for (const bit of bits) flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
        return flipped
      }),
    )
    const outcome = (reader: WireReader, data: Buffer, start: number, length: number): unknown => {
      if (reader.missingId(data, start, length) !== undefined) return 'missing'
      try {
        return { value: reader.tryDecode(data, start, length) }
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(MillraceError)
        expect((thrown as MillraceError).code).toBe('UNDECODABLE')
        return 'undecodable'
      }
    }
    fc.assert(
      fc.property(bytes, record => {
        const packed = Buffer.concat([Buffer.from('ff', 'hex'), record, valid, valid])
        for (const reader of readers) {
          expect(outcome(reader, packed, 1, record.length)).toStrictEqual(outcome(reader, record, 0, record.length))
        }
      }),
      { numRuns: 5_000 },
    )
  })
})
