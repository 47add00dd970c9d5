import { MillraceError } from '../model/errors.js'
import { stringLiteral, typescriptLiteral } from './typescript-literal.js'

type AvroObject = { readonly [attribute: string]: unknown }

/** A type as TypeScript text. */
interface TypeText {
  readonly text: string
  /** Needs parentheses in front of `[]`. */
  readonly compound: boolean
  /** Kind of JavaScript value: a union of two of one kind holds its values in objects that name the branch (ports/serde). */
  readonly kind: string
  /** Name of the branch in a union. */
  readonly branch: string
}

const PRIMITIVES: Readonly<Record<string, readonly [text: string, kind: string]>> = {
  null: ['null', 'null'],
  boolean: ['boolean', 'boolean'],
  int: ['number', 'number'],
  long: ['number', 'number'],
  float: ['number', 'number'],
  double: ['number', 'number'],
  bytes: ['Buffer', 'buffer'],
  string: ['string', 'string'],
}

const LINE_WIDTH = 120

/** Types that a generated file uses, so that no declaration may hide them. */
const USED = new Set(['Buffer', 'Record', 'Readonly'])

const RESERVED = new Set(
  `avro arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield`.split(/\s+/),
)

/** A name as a type of TypeScript. */
export function pascalCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter(word => word !== '')
  const pascal = words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[A-Za-z]/.test(pascal) ? pascal : `Avro${pascal}`
}

/** The constant that holds the schema of a type. */
export function constantName(typeName: string): string {
  const name = typeName.charAt(0).toLowerCase() + typeName.slice(1)
  return RESERVED.has(name) ? `${name}Schema` : name
}

function docComment(doc: unknown, indent = ''): string {
  if (typeof doc !== 'string' || doc.trim() === '') return ''
  const lines = doc
    .trim()
    .replaceAll('*/', '*\\/')
    .split(/\s*\n\s*/)
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map(line => `${indent} * ${line}\n`).join('')}${indent} */\n`
}

/** `start` and a union behind it, a branch a line where one line is too short for all. */
function unionLines(start: string, branches: readonly string[], indent: string): string {
  const line = `${start} ${branches.join(' | ')}`
  if (line.length <= LINE_WIDTH || branches.length < 2) return line
  return [start, ...branches.map(branch => `${indent}  | ${branch}`)].join('\n')
}

/** The declarations of the named types of a schema. */
class Declarations {
  private readonly named = new Map<string, TypeText>()
  private readonly names = new Set<string>(USED)
  /** Text by name, in order of first occurrence. */
  readonly texts = new Map<string, string>()

  typeOf(schema: unknown, namespace: string): TypeText {
    if (typeof schema === 'string') return this.reference(schema, namespace)
    if (Array.isArray(schema)) return this.union(this.branches(schema, namespace))
    const { type, items, values } = schema as AvroObject
    switch (type) {
      case 'array': {
        const item = this.typeOf(items, namespace)
        const text = item.compound ? `readonly (${item.text})[]` : `readonly ${item.text}[]`
        return { text, compound: true, kind: 'array', branch: 'array' }
      }
      case 'map': {
        const text = `Readonly<Record<string, ${this.typeOf(values, namespace).text}>>`
        return { text, compound: false, kind: 'object', branch: 'map' }
      }
      case 'record':
      case 'error':
      case 'enum':
      case 'fixed':
        return this.declare(schema as AvroObject, namespace)
      default:
        return this.typeOf(type, namespace)
    }
  }

  private reference(name: string, namespace: string): TypeText {
    const primitive = PRIMITIVES[name]
    if (primitive !== undefined) return { text: primitive[0], compound: false, kind: primitive[1], branch: name }
    const known = this.named.get(name.includes('.') || namespace === '' ? name : `${namespace}.${name}`)
    if (known === undefined) throw new MillraceError('INVALID_SCHEMA', `The named type "${name}" is not defined.`)
    return known
  }

  private branches(schemas: readonly unknown[], namespace: string): readonly TypeText[] {
    const branches = schemas.map(schema => this.typeOf(schema, namespace))
    const kinds = new Set(branches.map(branch => branch.kind))
    const wrapped = kinds.size < branches.length
    const sorted = [...branches.filter(branch => branch.kind !== 'null'), ...branches.filter(b => b.kind === 'null')]
    if (!wrapped) return sorted
    return sorted.map(branch => {
      const key = /^\w+$/.test(branch.branch) ? branch.branch : stringLiteral(branch.branch)
      return branch.kind === 'null' ? branch : { ...branch, text: `{ readonly ${key}: ${branch.text} }` }
    })
  }

  private union(branches: readonly TypeText[]): TypeText {
    return {
      text: branches.map(branch => branch.text).join(' | '),
      compound: branches.length > 1,
      kind: 'union',
      branch: '',
    }
  }

  private unusedName(name: string, fullName: string): string {
    const candidates = [pascalCase(name), pascalCase(fullName), `${pascalCase(name)}Type`]
    let unused = candidates.find(candidate => !this.names.has(candidate))
    for (let number = 2; unused === undefined; number++) {
      if (!this.names.has(`${pascalCase(name)}${number}`)) unused = `${pascalCase(name)}${number}`
    }
    this.names.add(unused)
    return unused
  }

  private declare(schema: AvroObject, enclosing: string): TypeText {
    const given = String(schema.name)
    const dot = given.lastIndexOf('.')
    const namespace =
      dot >= 0 ? given.slice(0, dot) : typeof schema.namespace === 'string' ? schema.namespace : enclosing
    const fullName = dot >= 0 || namespace === '' ? given : `${namespace}.${given}`
    if (schema.type === 'fixed') {
      const buffer = { text: 'Buffer', compound: false, kind: 'buffer', branch: fullName }
      this.named.set(fullName, buffer)
      return buffer
    }
    const name = this.unusedName(given.slice(dot + 1), fullName)
    const kind = schema.type === 'enum' ? 'string' : 'object'
    const type = { text: name, compound: false, kind, branch: fullName }
    this.named.set(fullName, type)
    this.texts.set(name, '')
    const doc = docComment(schema.doc)
    if (schema.type === 'enum') {
      const symbols = (schema.symbols as readonly string[]).map(stringLiteral)
      this.texts.set(name, `${doc}${unionLines(`export type ${name} =`, symbols, '')}\n`)
    } else {
      const fields = (schema.fields as readonly AvroObject[]).map(field => this.field(field, namespace))
      const declaration =
        fields.length === 0
          ? `export type ${name} = Readonly<Record<string, never>>\n`
          : `export interface ${name} {\n${fields.join('')}}\n`
      this.texts.set(name, `${doc}${declaration}`)
    }
    return type
  }

  private field(field: AvroObject, namespace: string): string {
    const branches = Array.isArray(field.type)
      ? this.branches(field.type, namespace)
      : [this.typeOf(field.type, namespace)]
    const texts = branches.map(branch => branch.text)
    return `${docComment(field.doc, '  ')}${unionLines(`  readonly ${field.name}:`, texts, '  ')}\n`
  }
}

/**
 * A TypeScript module for the schema of a record: interfaces of it and of what it holds, and the schema as a constant
 * for `fromTopic`. Laid out as biome does with this project's settings.
 *
 * @param schema a valid Avro schema
 * @param source file name for the first line
 * @throws MillraceError INVALID_SCHEMA when the schema is not a record.
 */
export function typescriptOfSchema(schema: unknown, source: string): string {
  const type = (schema as AvroObject).type
  if (type !== 'record') {
    throw new MillraceError('INVALID_SCHEMA', `${source} is not a record. Topics hold records; wrap the type in one.`)
  }
  const declarations = new Declarations()
  const name = declarations.typeOf(schema, '').text
  const start = `export const ${constantName(name)} = avro<${name}>(`
  return [
    `// Generated by millrace codegen from ${source}. Change the schema, not this file.\nimport { avro } from 'millrace'\n`,
    ...declarations.texts.values(),
    `/** Schema of {@link ${name}}. */\n${start}${typescriptLiteral(schema, start.length)})\n`,
  ].join('\n')
}
