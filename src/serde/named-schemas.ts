import type { AvroSchema } from '../model/avro-schema.js'

/** A schema that is a JSON object. */
export type SchemaObject = { readonly [attribute: string]: unknown }

/** Names of types that need no definition. */
export const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
/** Types that define a name. */
export const NAMED = new Set(['record', 'error', 'enum', 'fixed'])

/** A definition of a name: a record, an enum or a fixed. */
export type NamedSchema = SchemaObject & { readonly name: string }

export function isNamed(schema: AvroSchema): schema is NamedSchema {
  return typeof schema === 'object' && !Array.isArray(schema) && NAMED.has(String((schema as SchemaObject).type))
}

/** A name with the namespace that it is used in, unless it has one of its own. */
export function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

/** The namespace of what stands inside a named schema. */
export function namespaceInside(schema: NamedSchema, outside: string): string {
  const { name } = schema
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'))
  return typeof schema.namespace === 'string' ? schema.namespace : outside
}

/**
 * A valid schema with the definitions of other schemas put in at the first use of their names, so that it stands for
 * itself. `definitions` are by full name; those that it does not use are left out.
 */
export function selfContained(schema: AvroSchema, definitions: ReadonlyMap<string, NamedSchema>): AvroSchema {
  const defined = new Set<string>()

  function walk(part: AvroSchema, namespace: string): AvroSchema {
    if (typeof part === 'string') {
      const name = fullName(part, namespace)
      const definition = defined.has(name) ? undefined : definitions.get(name)
      if (PRIMITIVES.has(part) || definition === undefined) return part
      // Its namespace is its own, not that of the place where it is put.
      return walk({ ...definition, namespace: namespaceInside(definition, '') }, '')
    }
    if (Array.isArray(part)) return part.map(branch => walk(branch, namespace))
    const object = part as SchemaObject
    const { type } = object
    if (isNamed(object)) {
      const inside = namespaceInside(object, namespace)
      defined.add(fullName(object.name, inside))
      if (!Array.isArray(object.fields)) return object
      const fields = object.fields.map((field: SchemaObject) => ({
        ...field,
        type: walk(field.type as AvroSchema, inside),
      }))
      return { ...object, fields }
    }
    if (type === 'array') return { ...object, items: walk(object.items as AvroSchema, namespace) }
    if (type === 'map') return { ...object, values: walk(object.values as AvroSchema, namespace) }
    return { ...object, type: walk(type as AvroSchema, namespace) }
  }

  return walk(schema, '')
}
