import type { AvroSchema } from '../model/avro-schema.js'
import { snakeCase } from '../model/column.js'
import { avroFields, columnTypeOf, splitNullable } from '../topology/avro-record.js'
import type { FieldShape } from '../topology/shape.js'

const plain = (name: string): string => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase()

/** The fields of events as the columns of the raw table that analysts query: `quest_type` is `questType`. */
export class EventColumns {
  readonly fields: readonly FieldShape[]
  private readonly byColumn = new Map<string, FieldShape>()

  /** @param timestamp the field of the event time. */
  constructor(
    schema: AvroSchema,
    readonly timestamp: string | undefined,
  ) {
    this.fields = avroFields(schema).map(({ name, schema }) => ({
      name,
      schema,
      type: columnTypeOf(schema),
      nullable: splitNullable(schema).nullable,
      date: false,
    }))
    for (const field of this.fields) this.byColumn.set(plain(field.name), field)
    for (const field of this.fields) this.byColumn.set(snakeCase(field.name), field)
  }

  /** The field of a column, whatever its case, with underscores or without. */
  field(column: string): FieldShape | undefined {
    return this.byColumn.get(column.toLowerCase()) ?? this.byColumn.get(plain(column))
  }

  named(field: string): FieldShape | undefined {
    return this.fields.find(({ name }) => name === field)
  }
}

/** The symbols of an enum field; undefined for other fields. */
export function symbolsOf({ schema }: FieldShape): readonly string[] | undefined {
  const { schema: inner } = splitNullable(schema)
  if (typeof inner !== 'object' || Array.isArray(inner)) return undefined
  const { type, symbols } = inner as { readonly type?: unknown; readonly symbols?: readonly string[] }
  return type === 'enum' ? symbols : undefined
}
