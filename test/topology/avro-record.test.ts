import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import {
  asNullable,
  avroFields,
  avroRecord,
  columnTypeOf,
  isRecordSchema,
  schemaOfColumn,
  splitNullable,
} from '../../src/topology/avro-record.js'

const ENUM = { type: 'enum', name: 'E', symbols: ['X', 'Y'] }

describe('avroFields', () => {
  test('each field stands alone: references become definitions with full names', () => {
    const fields = avroFields({
      type: 'record',
      name: 'R',
      namespace: 'n',
      fields: [
        { name: 'a', type: ENUM },
        { name: 'b', type: ['null', 'E'], default: null },
        { name: 'c', type: { type: 'array', items: 'n.E' } },
        {
          name: 'd',
          type: { type: 'map', values: { type: 'record', name: 'o.P', fields: [{ name: 'f', type: 'E2' }] } },
        },
        { name: 'e', type: { type: 'fixed', name: 'F', namespace: 'p', size: 4 } },
      ],
    })
    const definition = { ...ENUM, name: 'n.E' }
    expect(fields.map(field => field.schema)).toEqual([
      definition,
      ['null', definition],
      { type: 'array', items: definition },
      { type: 'map', values: { type: 'record', name: 'o.P', fields: [{ name: 'f', type: 'o.E2' }] } },
      { type: 'fixed', name: 'p.F', size: 4 },
    ])
    expect(fields[1]?.declaration).toEqual({ name: 'b', type: ['null', definition], default: null })
  })

  test('a recursive type refers to itself inside its definition', () => {
    const tree: AvroSchema = {
      type: 'record',
      name: 'Tree',
      fields: [{ name: 'child', type: ['null', 'Tree'] }],
    }
    const [field] = avroFields({ type: 'record', name: 'R', fields: [{ name: 'tree', type: tree }] })
    expect(field?.schema).toEqual(tree)
    expect(() => avsc.Type.forSchema(field?.schema as avsc.Schema)).not.toThrow()
  })

  test('what is no record has no fields', () => {
    expect(avroFields('string')).toEqual([])
    expect(isRecordSchema('string')).toBe(false)
  })
})

describe('avroRecord', () => {
  test('defines a named type once', () => {
    const record = avroRecord('Row', [
      { name: 'a', type: ENUM },
      { name: 'b', type: ['null', ENUM] },
    ])
    expect(record).toEqual({
      type: 'record',
      name: 'Row',
      fields: [
        { name: 'a', type: ENUM },
        { name: 'b', type: ['null', 'E'] },
      ],
    })
    expect(() => avsc.Type.forSchema(record as avsc.Schema)).not.toThrow()
  })
})

test('null is split off and put back', () => {
  expect(splitNullable(['null', 'int'])).toEqual({ schema: 'int', nullable: true })
  expect(splitNullable(['int', 'null'])).toEqual({ schema: 'int', nullable: true })
  expect(splitNullable(['int', 'string'])).toEqual({ schema: ['int', 'string'], nullable: false })
  expect(splitNullable('int')).toEqual({ schema: 'int', nullable: false })
  expect(splitNullable('null')).toEqual({ schema: 'null', nullable: true })
  expect(asNullable('int')).toEqual(['null', 'int'])
  expect(asNullable(['int', 'null'])).toEqual(['null', 'int'])
  expect(asNullable('null')).toBe('null')
})

test.each<[AvroSchema, string]>([
  ['int', 'int'],
  ['long', 'long'],
  ['float', 'double'],
  ['double', 'double'],
  ['string', 'text'],
  ['boolean', 'bool'],
  ['bytes', 'bytes'],
  [ENUM, 'text'],
  [{ type: 'string' }, 'text'],
  [{ type: { type: 'string' } }, 'text'],
  [{ type: 'string', logicalType: 'uuid' }, 'text'],
  [{ type: 'long', logicalType: 'timestamp-millis' }, 'timestamp'],
  [['null', { type: 'long', logicalType: 'timestamp-millis' }], 'timestamp'],
  [['null', 'long'], 'long'],
  [['long', 'string'], 'other'],
  [{ type: 'long', logicalType: 'timestamp-micros' }, 'other'],
  [{ type: 'int', logicalType: 'date' }, 'other'],
  [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, 'other'],
  [{ type: 'array', items: 'int' }, 'other'],
  [{ type: 'record', name: 'R', fields: [] }, 'other'],
  [{ type: 'fixed', name: 'F', size: 4 }, 'other'],
])('the column of %j is %s', (schema, type) => {
  expect(columnTypeOf(schema)).toBe(type)
})

test('the schema of a column has that column', () => {
  for (const type of ['int', 'long', 'double', 'text', 'bool', 'timestamp', 'bytes'] as const) {
    expect(columnTypeOf(schemaOfColumn(type))).toBe(type)
  }
})
