import type { AvroSchema } from '../model/avro-schema.js'

type AvroObject = { readonly [attribute: string]: unknown }

/** Makes the value that a codec encodes from JSON; a value of a wrong type is passed on for the codec to refuse. */
export type FromJson = (json: unknown) => unknown

interface Branch {
  readonly name: string
  readonly kind: string
  readonly convert: FromJson
}

interface Scope {
  readonly namespace: string
  readonly named: Map<string, Branch>
  readonly unknown: Set<string>
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

const KINDS: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'bytes',
}

const same: FromJson = json => json
const toBytes: FromJson = json => (typeof json === 'string' ? Buffer.from(json, 'latin1') : json)
const toDouble: FromJson = json => (typeof json === 'bigint' ? Number(json) : json)
const toMillis: FromJson = json => (typeof json === 'string' && INSTANT.test(json) ? Date.parse(json) : json)

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function primitive(name: string): Branch | undefined {
  const kind = KINDS[name]
  if (kind === undefined) return undefined
  const convert = kind === 'bytes' ? toBytes : name === 'double' || name === 'float' ? toDouble : same
  return { name, kind, convert }
}

function kindOf(json: unknown): string {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'array'
  return typeof json === 'bigint' ? 'number' : typeof json
}

/** The values of a union: plain, or in Avro's JSON encoding as an object with the branch's name as its only key. */
function union(branches: readonly Branch[]): FromJson {
  const kinds = branches.map(branch => (branch.kind === 'bytes' ? 'buffer' : branch.kind))
  const ambiguous = new Set(kinds).size < kinds.length
  const named = (key: string) =>
    branches.find(branch => branch.name === key) ?? branches.find(branch => branch.name.endsWith(`.${key}`))
  const holdsObjects = kinds.includes('object')
  return json => {
    const keys = isObject(json) ? Object.keys(json) : []
    const wrapped = keys.length === 1 ? named(keys[0] as string) : undefined
    if (wrapped !== undefined) {
      const inner = (json as Record<string, unknown>)[keys[0] as string]
      if (ambiguous) return { [wrapped.name]: wrapped.convert(inner) }
      if (wrapped.kind === 'object' ? isObject(inner) : !holdsObjects) return wrapped.convert(inner)
    }
    const kind = kindOf(json)
    const plain =
      branches.find(branch => branch.kind === kind) ??
      (kind === 'string' ? branches.find(branch => branch.kind === 'bytes' || branch.convert === toMillis) : undefined)
    return plain === undefined || ambiguous ? json : plain.convert(json)
  }
}

function record(fields: readonly AvroObject[], name: string, scope: Scope): FromJson {
  const converters = new Map<string, FromJson>()
  for (const field of fields) converters.set(String(field.name), branchOf(field.type, scope).convert)
  return json => {
    if (!isObject(json)) return json
    const value: Record<string, unknown> = {}
    for (const [key, inner] of Object.entries(json)) {
      const convert = converters.get(key)
      if (convert === undefined) scope.unknown.add(`${name}.${key}`)
      else value[key] = convert(inner)
    }
    return value
  }
}

function branchOf(schema: unknown, scope: Scope): Branch {
  if (typeof schema === 'string') {
    const full = schema.includes('.') || scope.namespace === '' ? schema : `${scope.namespace}.${schema}`
    const known = primitive(schema) ?? scope.named.get(full)
    if (known === undefined) throw new Error(`The named type "${schema}" is not defined.`)
    return { ...known, convert: json => known.convert(json) }
  }
  if (Array.isArray(schema)) {
    return { name: '', kind: 'union', convert: union(schema.map(branch => branchOf(branch, scope))) }
  }
  const { type, items, values, logicalType, ...attributes } = schema as AvroObject
  if (type === 'array') {
    const item = branchOf(items, scope)
    return { name: 'array', kind: 'array', convert: json => (Array.isArray(json) ? json.map(item.convert) : json) }
  }
  if (type === 'map') {
    const { convert } = branchOf(values, scope)
    const entries = (json: object) => Object.entries(json).map(([key, inner]) => [key, convert(inner)])
    return { name: 'map', kind: 'object', convert: json => (isObject(json) ? Object.fromEntries(entries(json)) : json) }
  }
  if (type === 'long' && logicalType === 'timestamp-millis') return { name: 'long', kind: 'number', convert: toMillis }
  if (type !== 'record' && type !== 'error' && type !== 'enum' && type !== 'fixed') return branchOf(type, scope)
  return namedType(String(type), attributes, scope)
}

function namedType(type: string, attributes: AvroObject, scope: Scope): Branch {
  const given = String(attributes.name)
  const dot = given.lastIndexOf('.')
  const own = typeof attributes.namespace === 'string' ? attributes.namespace : scope.namespace
  const namespace = dot >= 0 ? given.slice(0, dot) : own
  const name = dot >= 0 || namespace === '' ? given : `${namespace}.${given}`
  const simple = type === 'fixed' ? { kind: 'bytes', convert: toBytes } : { kind: 'string', convert: same }
  if (type === 'fixed' || type === 'enum') {
    const branch = { name, ...simple }
    scope.named.set(name, branch)
    return branch
  }
  // A record may refer to itself, so its name is known before its fields are.
  const branch = { name, kind: 'object', convert: same }
  scope.named.set(name, branch)
  branch.convert = record(attributes.fields as readonly AvroObject[], name, { ...scope, namespace })
  return branch
}

/**
 * A converter of JSON (by `parseExactJson`) into values of a schema: bytes and fixed from text of code points 0 to 255 as in
 * Avro's JSON encoding, union values plain or with their branch's name, `timestamp-millis` from a number or ISO 8601 text
 * with a zone. Fields that the schema does not have are left out; their names come together in `unknown`.
 *
 * @param schema a valid Avro schema
 */
export function jsonValues(schema: AvroSchema): { readonly convert: FromJson; readonly unknown: ReadonlySet<string> } {
  const unknown = new Set<string>()
  const { convert } = branchOf(schema, { namespace: '', named: new Map(), unknown })
  return { convert, unknown }
}
