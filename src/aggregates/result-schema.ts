import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'
import { asNullable, schemaOfColumn } from '../topology/avro-record.js'

const DECIMAL: AvroSchema = { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 0 }

/** Avro schema of results of a column type in output topics, where a decimal is Avro's own. */
export function resultSchema(type: ColumnType): AvroSchema {
  return type === 'decimal' ? DECIMAL : schemaOfColumn(type)
}

/** Avro schema of results of a column type in output topics, or null. */
export function nullableResultSchema(type: ColumnType): AvroSchema {
  return asNullable(resultSchema(type))
}
