import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnType } from '../model/column.js'

/** An Avro schema in its object form. */
type AvroObject = { readonly [attribute: string]: unknown }

/** One field of a record schema; `schema` stands alone (references to named types are replaced by their definitions). */
export interface AvroField {
  readonly name: string
  readonly schema: AvroSchema
  /** The field's JSON as written (default, doc, aliases), with `type` replaced by `schema`. */
  readonly declaration: AvroObject
}

const NAMED = new Set(['record', 'error', 'enum', 'fixed'])
const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

function isObject(schema: unknown): schema is AvroObject {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema)
}

/** True for a schema that is an Avro record with a list of fields. */
export function isRecordSchema(schema: unknown): schema is AvroObject & { readonly fields: readonly AvroObject[] } {
  return isObject(schema) && schema.type === 'record' && Array.isArray(schema.fields)
}

/** Full name of a named type, as the Avro specification (section "Names") builds it. */
function fullName(name: string, namespace: string | undefined): string {
  return name.includes('.') || !namespace ? name : `${namespace}.${name}`
}

function namespaceOf(schema: AvroObject, enclosing: string | undefined): string | undefined {
  const name = String(schema.name)
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'))
  return typeof schema.namespace === 'string' ? schema.namespace : enclosing
}

/** Applies `visit` to the schemas inside a schema of a kind that holds others. */
function mapInside(schema: AvroObject, visit: (inner: AvroSchema) => AvroSchema): AvroObject {
  if (Array.isArray(schema.fields)) {
    const fields = schema.fields.map((field: AvroObject) => ({ ...field, type: visit(field.type as AvroSchema) }))
    return { ...schema, fields }
  }
  if (schema.type === 'array') return { ...schema, items: visit(schema.items as AvroSchema) }
  if (schema.type === 'map') return { ...schema, values: visit(schema.values as AvroSchema) }
  if (!NAMED.has(String(schema.type)) && typeof schema.type !== 'string') {
    return { ...schema, type: visit(schema.type as AvroSchema) }
  }
  return schema
}

/** Gives every named type its full name and every reference the full name that it stands for; notes the definitions. */
function qualify(schema: AvroSchema, namespace: string | undefined, definitions: Map<string, AvroObject>): AvroSchema {
  if (typeof schema === 'string') return PRIMITIVES.has(schema) ? schema : fullName(schema, namespace)
  if (Array.isArray(schema)) return schema.map(branch => qualify(branch, namespace, definitions))
  const definition = schema as AvroObject
  if (!NAMED.has(String(definition.type))) return mapInside(definition, inner => qualify(inner, namespace, definitions))
  const inside = namespaceOf(definition, namespace)
  const { namespace: _, ...rest } = definition
  const name = fullName(String(definition.name), inside)
  const qualified = mapInside({ ...rest, name }, inner => qualify(inner, inside, definitions))
  definitions.set(name, qualified)
  return qualified
}

/** Replaces references by definitions, except inside the definition itself (a recursive type). */
function standAlone(
  schema: AvroSchema,
  definitions: ReadonlyMap<string, AvroObject>,
  written: Set<string>,
): AvroSchema {
  if (Array.isArray(schema)) return schema.map(branch => standAlone(branch, definitions, written))
  const name =
    typeof schema === 'string' ? schema : NAMED.has(String((schema as AvroObject).type)) && (schema as AvroObject).name
  const definition = typeof name === 'string' ? definitions.get(name) : undefined
  if (definition === undefined) {
    return typeof schema === 'string'
      ? schema
      : mapInside(schema as AvroObject, inner => standAlone(inner, definitions, written))
  }
  if (written.has(String(name))) return String(name)
  written.add(String(name))
  return mapInside(definition, inner => standAlone(inner, definitions, written))
}

/** The fields of a record schema, in its order. */
export function avroFields(schema: AvroSchema): readonly AvroField[] {
  const definitions = new Map<string, AvroObject>()
  const record = qualify(schema, undefined, definitions)
  if (!isRecordSchema(record)) return []
  return record.fields.map(declaration => {
    const standing = standAlone(declaration.type as AvroSchema, definitions, new Set())
    return { name: String(declaration.name), schema: standing, declaration: { ...declaration, type: standing } }
  })
}

/**
 * A record schema of these fields. A named type that occurs in several of them is defined at its first place and
 * referred to by name at the others, as Avro demands.
 */
export function avroRecord(
  name: string,
  fields: readonly (AvroObject & { readonly name: string; readonly type: AvroSchema })[],
): AvroObject {
  const definitions = new Map<string, AvroObject>()
  const written = new Set<string>()
  const declared = fields.map(field => ({ ...field, type: qualify(field.type, undefined, definitions) }))
  return {
    type: 'record',
    name,
    fields: declared.map(field => ({ ...field, type: standAlone(field.type, definitions, written) })),
  }
}

/** The schema without `null`, and whether it was a union with null. */
export function splitNullable(schema: AvroSchema): { readonly schema: AvroSchema; readonly nullable: boolean } {
  if (!Array.isArray(schema)) return { schema, nullable: schema === 'null' }
  const branches = schema.filter(branch => branch !== 'null')
  return {
    schema: branches.length === 1 ? (branches[0] as AvroSchema) : branches,
    nullable: branches.length < schema.length,
  }
}

/** The schema as a union with null, null first. */
export function asNullable(schema: AvroSchema): AvroSchema {
  const { schema: inner } = splitNullable(schema)
  return inner === 'null' ? 'null' : ['null', ...(Array.isArray(inner) ? inner : [inner])]
}

const COLUMN_TYPES: Readonly<Record<string, ColumnType>> = {
  int: 'int',
  long: 'long',
  float: 'double',
  double: 'double',
  string: 'text',
  enum: 'text',
  boolean: 'bool',
  bytes: 'bytes',
}

/**
 * Column type of an Avro schema, null left aside; `'other'` for what no column holds (records, arrays, maps, fixed,
 * unions of several types, logical types that change the value: decimal, time and date types other than timestamp-millis).
 */
export function columnTypeOf(schema: AvroSchema): ColumnType | 'other' {
  const { schema: inner } = splitNullable(schema)
  if (Array.isArray(inner)) return 'other'
  if (typeof inner === 'string') return COLUMN_TYPES[inner] ?? 'other'
  const { type, logicalType } = inner as AvroObject
  if (logicalType === 'timestamp-millis' && type === 'long') return 'timestamp'
  if (logicalType === 'uuid' && type === 'string') return 'text'
  if (logicalType !== undefined) return 'other'
  return typeof type === 'string' ? (COLUMN_TYPES[type] ?? 'other') : columnTypeOf(type as AvroSchema)
}

/** Avro schema of values of a column type; for `decimal`, text of up to 38 digits. */
export function schemaOfColumn(type: ColumnType): AvroSchema {
  switch (type) {
    case 'int':
    case 'long':
    case 'double':
    case 'bytes':
      return type
    case 'text':
    case 'decimal':
      return 'string'
    case 'bool':
      return 'boolean'
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-millis' }
    default:
      return type satisfies never
  }
}
