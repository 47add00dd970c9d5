import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../src/model/column.js'
import { partitionFor } from '../../src/model/murmur2.js'
import { KeyCodec } from '../../src/runtime/key-codec.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { schemaOfColumn } from '../../src/topology/avro-record.js'
import type { FieldShape } from '../../src/topology/shape.js'

const serde = avroSerde(fileRegistry({ schemas: [] }))

function column(name: string, type: ColumnType, nullable = false): FieldShape {
  const schema = schemaOfColumn(type)
  return { name, type, nullable, schema: nullable ? ['null', schema] : schema, date: type === 'timestamp' }
}

describe('a key of one text column', () => {
  const codec = new KeyCodec([column('user', 'text')], 'utf8', serde)

  it('of a source topic is its UTF-8 bytes', () => {
    const entry = codec.ofRecord({ user: 'zoë' })!
    expect(entry.bytes).toEqual(Buffer.from('zoë'))
    expect(entry.columns).toEqual({ user: 'zoë' })
    expect(entry.partition(12)).toBe(partitionFor(Buffer.from('zoë'), 12))
  })

  it('is the same entry however it is asked for', () => {
    const entry = codec.ofText('u1')
    expect(codec.ofRecord({ user: 'u1' })).toBe(entry)
    expect(codec.ofBytes(Buffer.from('u1'))).toBe(entry)
    expect(codec.ofBytes(Buffer.from('u2'))).not.toBe(entry)
  })

  it('does not keep the bytes that it was read from', () => {
    const bytes = Buffer.from('u3')
    const entry = codec.ofBytes(bytes)
    bytes.fill(0)
    expect(entry.bytes.toString()).toBe('u3')
  })

  it('is an Avro record in internal topics', () => {
    const internal = new KeyCodec([column('user', 'text')], 'avro', serde)
    expect(internal.ofText('u1').bytes).toEqual(Buffer.from([4, 0x75, 0x31]))
    expect(internal.ofRecord({ user: 'u1' })).toBe(internal.ofText('u1'))
  })

  it('that is null or missing is no key', () => {
    expect([codec.ofRecord(null), codec.ofRecord({ user: null }), codec.ofRecord({})]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('of another type is refused with the columns it should have', () => {
    expect(() => codec.ofRecord({ user: 5 })).toThrow(/does not have the columns \{ user: text \}/)
  })
})

describe('a key of several columns', () => {
  const columns = [column('hour', 'timestamp'), column('level', 'long', true)]
  const codec = new KeyCodec(columns, 'avro', serde)

  it('looks the same whether it was just made or read back', () => {
    const made = codec.ofRecord({ level: 5, hour: 3_600_000, more: 'than its columns' })!
    expect(made.columns).toEqual({ hour: new Date(3_600_000), level: 5 })
    expect(new KeyCodec(columns, 'avro', serde).ofBytes(made.bytes).columns).toEqual(made.columns)
    expect(codec.ofRecord({ hour: new Date(3_600_000), level: 5 })).toBe(made)
  })

  it('may have nulls where columns are nullable, but not only nulls', () => {
    expect(codec.ofRecord({ hour: 1, level: null })!.columns).toEqual({ hour: new Date(1), level: null })
    expect(codec.ofRecord({ hour: null, level: null })).toBeUndefined()
    expect(() => codec.ofRecord({ hour: null, level: 1 })).toThrow(/does not have the columns/)
  })
})

describe('the memory of a codec', () => {
  it('is given back after many keys, and equal keys stay equal by id', () => {
    const codec = new KeyCodec([column('user', 'text')], 'utf8', serde)
    const first = codec.ofText('first')
    for (let i = 0; i < 200_001; i++) codec.ofText(`u${i}`)
    const again = codec.ofText('first')
    expect(again).not.toBe(first)
    expect([again.id, again.bytes]).toEqual([first.id, first.bytes])
  })
})
