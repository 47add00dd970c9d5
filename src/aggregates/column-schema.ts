import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'

const SCHEMAS: Record<ColumnType, AvroSchema> = {
  int: 'int',
  long: 'long',
  decimal: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 0 },
  double: 'double',
  text: 'string',
  bool: 'boolean',
  timestamp: { type: 'long', logicalType: 'timestamp-millis' },
  bytes: 'bytes',
}

/** Avro schema of a column's values in output topics. */
export function columnSchema(type: ColumnType): AvroSchema {
  return SCHEMAS[type]
}

/** Avro schema of a column's values in output topics, or null. */
export function nullableColumnSchema(type: ColumnType): AvroSchema {
  return ['null', SCHEMAS[type]]
}
