import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'
import { asNullable, avroFields, columnTypeOf, schemaOfColumn, splitNullable } from './avro-record.js'
import type { Aggregation, FieldInput, Measure } from './measure.js'
import type { AggregateNode, Node, ReduceNode, TopicSinkNode } from './node.js'

/** What is known of a field before a record is read. */
export interface FieldShape {
  readonly name: string
  /** `'other'` for what no column holds: records, arrays, maps, unions of several types, results without a column. */
  readonly type: ColumnType | 'other'
  readonly nullable: boolean
  /** Stands alone: references to named types are replaced by their definitions. A union with null where nullable. */
  readonly schema: AvroSchema
  /**
   * Only timestamps: in memory the field is a Date (key columns, window columns, measures, `timestamp(…)` expressions)
   * and not the ms that Avro gives for a field of a topic.
   */
  readonly date: boolean
  /** Longest value in bytes, where it has a limit. */
  readonly maxBytes?: number
  /** Relative accuracy, of the numbers of logarithmic buckets. */
  readonly accuracy?: number
}

/** A table: one row a key, and a window where it is windowed. */
export interface TableShape {
  /** Key columns without those of the window. Undefined where the key's columns are unknown. */
  readonly key: readonly FieldShape[] | undefined
  /** The key has the columns `windowStart` and `windowEnd`. */
  readonly windowed: boolean
  /** Measures, or the fields of the value of a `reduce`. Undefined where that value's type is unknown. */
  readonly measures: readonly FieldShape[] | undefined
}

/** The window columns of a table that is not global, in this order, behind the key's columns. */
export const WINDOW_COLUMNS: readonly FieldShape[] = ['windowStart', 'windowEnd'].map(name =>
  Object.freeze({ name, type: 'timestamp', nullable: false, schema: schemaOfColumn('timestamp'), date: true }),
)

/** The fields of an Avro record schema, as values of a topic hold them. */
function fieldsOf(schema: AvroSchema): readonly FieldShape[] {
  return avroFields(schema).map(field => ({
    name: field.name,
    type: columnTypeOf(field.schema),
    nullable: splitNullable(field.schema).nullable,
    schema: field.schema,
    date: false,
  }))
}

/** The shape of a field or expression over values of `shape`; undefined where it names a field that is not known. */
function shapeOfInput(
  name: string,
  input: FieldInput,
  shape: readonly FieldShape[] | undefined,
  nullable: boolean,
): FieldShape | undefined {
  if (typeof input === 'string') {
    const field = shape?.find(one => one.name === input)
    return field && { ...field, name }
  }
  const schema = schemaOfColumn(input.type)
  return {
    name,
    type: input.type,
    nullable,
    schema: nullable ? asNullable(schema) : schema,
    date: input.type === 'timestamp',
    ...(input.accuracy !== undefined && { accuracy: input.accuracy }),
  }
}

function allOf<T>(shapes: readonly (T | undefined)[]): readonly T[] | undefined {
  return shapes.every(shape => shape !== undefined) ? (shapes as readonly T[]) : undefined
}

function onlyInput(node: Node): Node {
  return node.inputs[0] as Node
}

/**
 * The fields of the values that a node passes on (for a table: its measures); undefined after `map`, `mapValues`,
 * `flatMap` and `rx` without a value schema. That a value may be null as a whole (`nullValues: 'keep'`) is not part of it.
 * Expressions of `select` are nullable, since they may answer null.
 */
export function valueShape(node: Node): readonly FieldShape[] | undefined {
  switch (node.kind) {
    case 'source':
      return fieldsOf(node.value.schema)
    case 'map':
    case 'map-values':
    case 'flat-map':
    case 'rx':
      return node.value && fieldsOf(node.value.schema)
    case 'select': {
      const shape = valueShape(onlyInput(node))
      return allOf(Object.entries(node.fields ?? {}).map(([name, input]) => shapeOfInput(name, input, shape, true)))
    }
    case 'filter':
    case 'where':
    case 'peek':
    case 'repartition':
    case 'window':
    case 'to-topic':
    case 'to-warehouse':
      return valueShape(onlyInput(node))
    case 'aggregate':
    case 'reduce':
      return tableShape(node).measures
    case 'to-stream': {
      const table = tableOf(node)
      if (table === undefined) return valueShape(onlyInput(node))
      const { key, windowed, measures } = tableShape(table)
      return key && measures && [...key, ...(windowed ? WINDOW_COLUMNS : []), ...measures]
    }
    default:
      return node satisfies never
  }
}

/**
 * The key columns of the records that a node passes on, for a table without its window's; undefined after `map`,
 * `flatMap` and `rx` without a key schema. A key of a topic is one column of text, or the fields of its schema. Timestamps
 * in keys are Dates. Expressions of a key are not nullable: one that answers null makes the record fail.
 */
export function keyShape(node: Node): readonly FieldShape[] | undefined {
  switch (node.kind) {
    case 'source':
      return node.key
        ? asKey(fieldsOf(node.key.schema))
        : [{ name: node.keyColumn, type: 'text', nullable: false, schema: 'string', date: false }]
    case 'map':
    case 'flat-map':
    case 'rx':
      return node.key && asKey(fieldsOf(node.key.schema))
    case 'repartition': {
      if (node.by.length === 0) return keyShape(onlyInput(node))
      const shape = valueShape(onlyInput(node))
      const columns = allOf(node.by.map(({ name, input }) => shapeOfInput(name, input, shape, false)))
      return columns && asKey(columns)
    }
    case 'to-stream': {
      const table = tableOf(node)
      const key = keyShape(onlyInput(node))
      return key && table && windowOf(table)?.type !== 'global' ? [...key, ...WINDOW_COLUMNS] : key
    }
    case 'map-values':
    case 'select':
    case 'filter':
    case 'where':
    case 'peek':
    case 'window':
    case 'aggregate':
    case 'reduce':
    case 'to-topic':
    case 'to-warehouse':
      return keyShape(onlyInput(node))
    default:
      return node satisfies never
  }
}

/** The key columns of the records of a topic sink, those of a table's window included. */
export function outputKeyShape(node: TopicSinkNode): readonly FieldShape[] | undefined {
  const columns = keyShape(node)
  const table = tableOf(node)
  return columns && table && windowOf(table)?.type !== 'global' ? [...columns, ...WINDOW_COLUMNS] : columns
}

function asKey(fields: readonly FieldShape[]): readonly FieldShape[] {
  return fields.map(field => ({ ...field, date: field.type === 'timestamp' }))
}

/** The table that a node is or ends; undefined for a stream. */
export function tableOf(node: Node): AggregateNode | ReduceNode | undefined {
  const input = node.kind === 'aggregate' || node.kind === 'reduce' ? node : node.inputs[0]
  return input?.kind === 'aggregate' || input?.kind === 'reduce' ? input : undefined
}

/** The window that a table is cut into; undefined where it has none (which validation refuses). */
export function windowOf(node: AggregateNode | ReduceNode) {
  const input = node.inputs[0]
  return input?.kind === 'window' ? input.window : undefined
}

/**
 * The aggregation of a measure over values of `shape`.
 * @throws MillraceError INVALID_TOPOLOGY when the aggregate does not take the type of its input.
 */
export function resolveMeasure(measure: Measure, shape: readonly FieldShape[] | undefined): Aggregation {
  const { input } = measure
  if (input === undefined) return measure.resolve(undefined)
  const type = shapeOfInput('input', input, shape, true)?.type
  return measure.resolve(type === 'other' ? undefined : type)
}

/**
 * The columns of the table that an aggregate or a reduce makes.
 * @throws MillraceError INVALID_TOPOLOGY when a measure does not take the type of its input.
 */
export function tableShape(node: AggregateNode | ReduceNode): TableShape {
  const input = onlyInput(node)
  const shape = valueShape(input)
  const measures =
    node.kind === 'reduce'
      ? shape
      : Object.entries(node.measures).map(([name, measure]): FieldShape => {
          const { column = 'other', nullable, resultSchema, maxBytes } = resolveMeasure(measure, shape)
          const limit = maxBytes !== undefined && { maxBytes }
          return { name, type: column, nullable, schema: resultSchema, date: column === 'timestamp', ...limit }
        })
  return { key: keyShape(node), windowed: windowOf(node)?.type !== 'global', measures }
}
