import avsc from 'avsc'
import { expect, it } from 'vitest'
import { nullableResultSchema, resultSchema } from '../../src/aggregates/result-schema.js'
import type { ColumnType } from '../../src/model/column.js'

const SCHEMAS: [ColumnType, unknown][] = [
  ['int', 'int'],
  ['long', 'long'],
  ['decimal', { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 0 }],
  ['double', 'double'],
  ['text', 'string'],
  ['bool', 'boolean'],
  ['timestamp', { type: 'long', logicalType: 'timestamp-millis' }],
  ['bytes', 'bytes'],
]

it.each(SCHEMAS)('%s has an Avro schema, that may be null', (type, schema) => {
  expect(resultSchema(type)).toEqual(schema)
  expect(nullableResultSchema(type)).toEqual(['null', schema])
  expect(avsc.Type.forSchema(nullableResultSchema(type) as avsc.Schema).isValid(null)).toBe(true)
})
