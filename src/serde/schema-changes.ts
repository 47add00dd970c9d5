import type { AvroSchema } from '../model/avro-schema.js'
import { fullName, isNamed, namespaceInside, type SchemaObject } from './named-schemas.js'

/** Writer types that Avro reads as another type: specification, "Schema Resolution". */
const PROMOTED: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

/** A part of a schema with what it takes to follow the names in it. */
interface Part {
  readonly schema: AvroSchema
  readonly namespace: string
  readonly names: ReadonlyMap<string, Part>
}

interface Field {
  readonly name: string
  readonly type: AvroSchema
  readonly aliases?: readonly string[]
  readonly default?: unknown
}

/** How a difference is said: `reader` and `writer` are texts of types. */
interface Words {
  readonly type: (reader: string, writer: string) => string
  readonly absent: string
  readonly symbols: string
}

/** By which of two schemas reads what the other one wrote: the newer one, the older one, or one of unknown age. */
const WORDS = {
  new: {
    type: (reader, writer) => `${writer} became ${reader}`,
    absent: 'was added without a default',
    symbols: 'lost',
  },
  old: {
    type: (reader, writer) => `${reader} became ${writer}`,
    absent: 'was removed, and it had no default',
    symbols: 'gained',
  },
  unknown: {
    type: (reader, writer) => `${writer} is written and ${reader} is read`,
    absent: 'is not written, and it has no default',
    symbols: 'lacks',
  },
} satisfies Record<string, Words>

function part(schema: AvroSchema): Part {
  const names = new Map<string, Part>()
  function collect(one: AvroSchema, namespace: string): void {
    if (typeof one === 'string') return
    if (Array.isArray(one)) {
      for (const branch of one) collect(branch, namespace)
      return
    }
    const object = one as SchemaObject
    if (!isNamed(object)) {
      for (const inner of [object.type, object.items, object.values])
        collect((inner ?? 'null') as AvroSchema, namespace)
      return
    }
    const inside = namespaceInside(object, namespace)
    names.set(fullName(object.name, inside), { schema: object, namespace, names })
    for (const field of fieldsOf(object)) collect(field.type, inside)
  }
  collect(schema, '')
  return { schema, namespace: '', names }
}

function fieldsOf(schema: SchemaObject): readonly Field[] {
  return Array.isArray(schema.fields) ? schema.fields : []
}

/** The part with its names replaced by what they stand for, and without `{ "type": … }` around a type. */
function resolved({ schema, namespace, names }: Part): Part {
  if (typeof schema === 'string') return names.get(fullName(schema, namespace)) ?? { schema, namespace, names }
  const { type } = schema as SchemaObject
  if (Array.isArray(schema) || isNamed(schema) || type === 'array' || type === 'map')
    return { schema, namespace, names }
  return resolved({ schema: type as AvroSchema, namespace, names })
}

function typeOf(schema: AvroSchema): string {
  if (Array.isArray(schema)) return 'union'
  return typeof schema === 'string' ? schema : String((schema as SchemaObject).type)
}

function simpleName(schema: AvroSchema): string {
  return String((schema as SchemaObject).name).replace(/^.*\./, '')
}

/** For a message: `long`, `record User`, `null | string`, `array of long`. */
function text({ schema, namespace, names }: Part): string {
  const inner = (one: unknown) => text(resolved({ schema: one as AvroSchema, namespace, names }))
  if (Array.isArray(schema)) return schema.map(inner).join(' | ')
  const { items, values } = schema as SchemaObject
  if (isNamed(schema)) {
    const size = schema.type === 'fixed' ? ` of ${schema.size} bytes` : ''
    return `${typeOf(schema)} ${simpleName(schema)}${size}`
  }
  if (items !== undefined) return `array of ${inner(items)}`
  return values === undefined ? typeOf(schema) : `map of ${inner(values)}`
}

class Comparison {
  readonly found: string[] = []
  private readonly seen = new Set<string>()

  constructor(private readonly words: Words) {}

  compare(readerPart: Part, writerPart: Part, path: string): void {
    const reader = resolved(readerPart)
    const writer = resolved(writerPart)
    const differ = () => this.say(path, this.words.type(text(reader), text(writer)))
    if (Array.isArray(writer.schema) || Array.isArray(reader.schema)) {
      this.compareBranches(branchesOf(reader), branchesOf(writer), path, differ)
    } else if (typeOf(reader.schema) !== typeOf(writer.schema)) {
      if (!PROMOTED[typeOf(writer.schema)]?.includes(typeOf(reader.schema))) differ()
    } else this.compareSame(reader, writer, path, differ)
  }

  /** Every branch that is written must be one that is read; what differs inside a branch is said of it. */
  private compareBranches(read: readonly Part[], written: readonly Part[], path: string, differ: () => void): void {
    for (const branch of written) {
      if (read.some(one => this.reads(one, branch))) continue
      const counterpart = read.find(one => typeOf(one.schema) === typeOf(branch.schema) && sameName(one, branch))
      if (counterpart === undefined) {
        differ()
        return
      }
      this.compare(counterpart, branch, path)
    }
  }

  /** Compares two of the same kind. */
  private compareSame(reader: Part, writer: Part, path: string, differ: () => void): void {
    const [of, by] = [reader.schema as SchemaObject, writer.schema as SchemaObject]
    switch (typeOf(reader.schema)) {
      case 'array':
        this.compare(inside(reader, of.items), inside(writer, by.items), `${path}[]`)
        return
      case 'map':
        this.compare(inside(reader, of.values), inside(writer, by.values), `${path}{}`)
        return
      case 'record':
      case 'error':
        if (!sameName(reader, writer)) differ()
        else this.compareFields(reader, writer, path)
        return
      case 'enum':
        if (!sameName(reader, writer)) differ()
        else this.compareSymbols(of, by, path)
        return
      case 'fixed':
        if (!sameName(reader, writer) || of.size !== by.size) differ()
    }
  }

  private compareFields(reader: Part, writer: Part, path: string): void {
    const [of, by] = [reader.schema as SchemaObject, writer.schema as SchemaObject]
    // A record that holds itself is compared once.
    const pair = `${of.name} ${by.name} ${JSON.stringify(of)} ${JSON.stringify(by)}`
    if (this.seen.has(pair)) return
    this.seen.add(pair)
    for (const field of fieldsOf(of)) {
      const names = [field.name, ...(field.aliases ?? [])]
      const written = fieldsOf(by).find(({ name }) => names.includes(name))
      const at = path === '' ? field.name : `${path}.${field.name}`
      if (written !== undefined) this.compare(inside(reader, field.type), inside(writer, written.type), at)
      else if (field.default === undefined) {
        this.say(at, this.words.absent, '')
      }
    }
  }

  private compareSymbols(of: SchemaObject, by: SchemaObject, path: string): void {
    if (of.default !== undefined) return
    const known = of.symbols as readonly string[]
    const lacking = (by.symbols as readonly string[]).filter(symbol => !known.includes(symbol))
    if (lacking.length === 0) return
    this.say(path, `enum ${simpleName(of)} ${this.words.symbols} ${lacking.join(', ')}, and it has no default`)
  }

  private reads(reader: Part, writer: Part): boolean {
    const attempt = new Comparison(this.words)
    for (const pair of this.seen) attempt.seen.add(pair)
    attempt.compare(reader, writer, '')
    return attempt.found.length === 0
  }

  private say(path: string, what: string, colon = ':'): void {
    this.found.push(path === '' ? `the values${colon} ${what}` : `field "${path}"${colon} ${what}`)
  }
}

function inside(outer: Part, schema: unknown): Part {
  const namespace = isNamed(outer.schema) ? namespaceInside(outer.schema, outer.namespace) : outer.namespace
  return { schema: schema as AvroSchema, namespace, names: outer.names }
}

function branchesOf(union: Part): readonly Part[] {
  const branches = Array.isArray(union.schema) ? union.schema : [union.schema]
  return branches.map(schema => resolved({ ...union, schema }))
}

/** Names agree without their namespaces, as in Avro's own check, or by an alias of the reader. */
function sameName(reader: Part, writer: Part): boolean {
  const { aliases } = reader.schema as SchemaObject
  const name = simpleName(writer.schema)
  const others = Array.isArray(aliases) ? aliases.map(alias => String(alias).replace(/^.*\./, '')) : []
  return [simpleName(reader.schema), ...others].includes(name)
}

/**
 * What changed from one valid schema to the next such that the new or the old one cannot read what the other one writes,
 * each as a phrase that names the field; none where it can. The rules are those of Avro's "Schema Resolution".
 */
export function breakingChanges(before: AvroSchema, after: AvroSchema, reader: 'new' | 'old'): readonly string[] {
  const [read, written] = reader === 'new' ? [after, before] : [before, after]
  return differences(read, written, WORDS[reader])
}

/** Why values of `writer` cannot be read as `reader`: as `breakingChanges`, where nobody knows which of the two is newer. */
export function unreadable(writer: AvroSchema, reader: AvroSchema): readonly string[] {
  return differences(reader, writer, WORDS.unknown)
}

function differences(reader: AvroSchema, writer: AvroSchema, words: Words): readonly string[] {
  const comparison = new Comparison(words)
  comparison.compare(part(reader), part(writer), '')
  return comparison.found
}
