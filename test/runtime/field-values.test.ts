import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../src/model/column.js'
import { fieldValues, recordSchema } from '../../src/runtime/field-values.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { schemaOfColumn } from '../../src/topology/avro-record.js'
import type { FieldShape } from '../../src/topology/shape.js'

const serde = avroSerde(fileRegistry({ schemas: [] }))

function shape(name: string, type: ColumnType, nullable = false): FieldShape {
  const schema = schemaOfColumn(type)
  return { name, type, nullable, schema: nullable ? ['null', schema] : schema, date: type === 'timestamp' }
}

function roundTrip(fields: readonly FieldShape[], record: Record<string, unknown>): Record<string, unknown> {
  const values = fieldValues(fields)
  const codec = serde.codec(recordSchema('Values', fields))
  return values.fromAvro(codec.decode(codec.encode(values.toAvro(record))) as Record<string, unknown>)
}

describe('values as Avro takes them and back', () => {
  it('are the same for every type', () => {
    const fields = [
      shape('int', 'int'),
      shape('long', 'long'),
      shape('double', 'double'),
      shape('text', 'text'),
      shape('bool', 'bool'),
      shape('timestamp', 'timestamp'),
      shape('decimal', 'decimal'),
    ]
    const integer = fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n })
    const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
    const record = fc.record({
      int: fc.integer(),
      long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(exact),
      double: fc.double({ noNaN: true }).filter(value => !Object.is(value, -0)),
      text: fc.string({ unit: 'grapheme' }),
      bool: fc.boolean(),
      timestamp: fc.nat(2 ** 31 - 1).map(seconds => new Date(seconds * 1_000)),
      decimal: integer.map(exact),
    })
    fc.assert(
      fc.property(record, given => {
        expect(roundTrip(fields, given)).toEqual(given)
      }),
    )
  })

  it('keep nulls, and take what is missing for null', () => {
    const fields = [shape('timestamp', 'timestamp', true), shape('decimal', 'decimal', true)]
    expect(roundTrip(fields, { timestamp: null })).toEqual({ timestamp: null, decimal: null })
  })

  it('give a decimal in bytes its shortest two’s complement', () => {
    const field = { ...shape('decimal', 'decimal'), schema: 'bytes' }
    const values = fieldValues([field])
    const bytes = (value: number | bigint) => values.toAvro({ decimal: value }).decimal as Buffer
    expect([0, -1, 127, 128, -128, -129].map(value => bytes(value).toString('hex'))).toEqual([
      '00',
      'ff',
      '7f',
      '0080',
      '80',
      'ff7f',
    ])
    const large = -(2n ** 90n) + 7n
    expect(values.fromAvro({ decimal: bytes(large) })).toEqual({ decimal: large })
    expect(values.fromAvro({ decimal: Buffer.alloc(0) })).toEqual({ decimal: 0 })
  })

  it('take a timestamp as a Date or as ms', () => {
    const values = fieldValues([shape('timestamp', 'timestamp')])
    expect(values.toAvro({ timestamp: new Date(5) })).toEqual(values.toAvro({ timestamp: 5 }))
  })
})

describe('recordSchema', () => {
  it('makes nullable fields unions with null', () => {
    expect(recordSchema('Row', [shape('a', 'text', true), shape('b', 'long')])).toEqual({
      type: 'record',
      name: 'Row',
      fields: [
        { name: 'a', type: ['null', 'string'], default: null },
        { name: 'b', type: 'long' },
      ],
    })
  })
})
