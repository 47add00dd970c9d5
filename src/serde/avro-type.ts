import avsc from 'avsc'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import type { ReadTap } from './read-tap.js'
import { unreadable } from './schema-changes.js'
import { type LongSink, type WriteTap, writeExactLong } from './write-tap.js'

/** What avsc's types and resolvers offer to whoever brings his own tap. */
export interface AvroReadable {
  _read(tap: ReadTap): unknown
}

/** An avsc type that reads and writes longs exactly and bounds its collections. */
export type AvroType = avsc.Type &
  AvroReadable & {
    _write(tap: WriteTap, value: unknown): void
  }

type ErrorHook = ((value: unknown, type: avsc.Type) => void) | undefined
type Element = AvroReadable & { _skip(tap: ReadTap): void }

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

function isLong(value: unknown): value is number | bigint {
  return typeof value === 'bigint' ? value >= INT64_MIN && value <= INT64_MAX : Number.isSafeInteger(value)
}

/**
 * A long that is exact over 64 bits. avsc's own refuses values beyond 2^53 and takes some below -2^52 for positive ones,
 * because it computes with the zigzag form in a double.
 */
class ExactLongType extends avsc.types.LongType {
  _read(tap: ReadTap): number | bigint {
    return tap.readExactLong()
  }

  _write(tap: LongSink, value: unknown): void {
    if (!isLong(value)) throw new Error('not a long')
    writeExactLong(tap, value)
  }

  _check(value: unknown, _flags: unknown, hook: ErrorHook): boolean {
    if (isLong(value)) return true
    hook?.(value, this)
    return false
  }
}

class BoundedArrayType extends avsc.types.ArrayType {
  _read(tap: ReadTap): unknown[] {
    const values: unknown[] = []
    const items = this.itemsType as avsc.Type & Element
    for (let count = tap.readBlock(); count > 0; count = tap.readBlock()) {
      while (count-- > 0) values.push(items._read(tap))
    }
    return values
  }

  _skip(tap: ReadTap): void {
    const items = this.itemsType as avsc.Type & Element
    for (let count = tap.skipBlock(); count !== 0; count = tap.skipBlock()) {
      while (count-- > 0) items._skip(tap)
    }
  }
}

class BoundedMapType extends avsc.types.MapType {
  _read(tap: ReadTap): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    const values = this.valuesType as Element
    for (let count = tap.readBlock(); count > 0; count = tap.readBlock()) {
      while (count-- > 0) {
        const key = tap.readString()
        const value = values._read(tap)
        if (key === '__proto__') {
          Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
        } else map[key] = value
      }
    }
    return map
  }

  _skip(tap: ReadTap): void {
    const values = this.valuesType as Element
    for (let count = tap.skipBlock(); count !== 0; count = tap.skipBlock()) {
      while (count-- > 0) {
        tap.skipString()
        values._skip(tap)
      }
    }
  }
}

class StrictEnumType extends avsc.types.EnumType {
  declare private readonly _indices: Readonly<Record<string, number>>

  _write(tap: LongSink & { writeLong(value: number): void }, value: unknown): void {
    if (!this._check(value, undefined, undefined)) throw new Error('not a symbol of the enum')
    tap.writeLong(this._indices[value as string] as number)
  }

  /** avsc looks the symbol up in a plain object and so takes `constructor` for one. */
  _check(value: unknown, _flags: unknown, hook: ErrorHook): boolean {
    if (typeof value === 'string' && typeof this._indices[value] === 'number') return true
    hook?.(value, this)
    return false
  }
}

/** An unwrapped union that finds the long branch for a bigint too. */
class PlainUnionType extends avsc.types.UnwrappedUnionType {
  declare private readonly _bucketIndices: Record<string, number | undefined>

  constructor(branches: avsc.Schema, options: HookOptions) {
    super(branches, options)
    const long = this.types.findIndex(branch => branch.typeName === 'long')
    if (long >= 0) this._bucketIndices.bigint = long
  }
}

type SchemaObject = { readonly type?: unknown; readonly name?: unknown }
type HookOptions = Partial<avsc.ForSchemaOptions>

/**
 * A type that makes `{ branch: value }` in a wrapped union; null has no such object, and a record that holds itself has
 * none before it is complete.
 */
type BranchType = avsc.Type & { readonly _branchConstructor: { prototype: object } | null | undefined }

const LONG = new ExactLongType()

function unionType(schema: readonly unknown[], options: HookOptions): avsc.Type {
  const types: unknown = schema.map(branch => avsc.Type.forSchema(branch as avsc.Schema, options))
  const branches = types as avsc.Schema
  try {
    return new PlainUnionType(branches, options)
  } catch {
    const union = new avsc.types.WrappedUnionType(branches, options)
    for (const branch of union.types) makeWrapperPlain(branch)
    return union
  }
}

function typeHook(schema: avsc.Schema, options: HookOptions): avsc.Type | undefined {
  if (schema === 'long') return LONG
  if (Array.isArray(schema)) return unionType(schema, options)
  const { type } = schema as SchemaObject
  if (typeof type === 'object' && type !== null) return avsc.Type.forSchema(type as avsc.Schema, options)
  switch (type) {
    case 'long':
      return LONG
    case 'array':
      return new BoundedArrayType(schema, options)
    case 'map':
      return new BoundedMapType(schema, options)
    case 'enum':
      return new StrictEnumType(schema, options)
    default:
      return undefined
  }
}

function makeWrapperPlain(branch: avsc.Type): void {
  const { _branchConstructor: wrapper } = branch as BranchType
  if (wrapper) wrapper.prototype = Object.prototype
}

/** Decoded records are plain objects, not instances of a class that carries avsc's methods. */
function makePlain(type: avsc.Type): void {
  makeWrapperPlain(type)
  if (type.typeName === 'record' || type.typeName === 'error') {
    ;(type as avsc.types.RecordType).recordConstructor.prototype = Object.prototype
  }
}

/** For messages: the schema's name, or its JSON up to 80 characters. */
export function schemaName(schema: AvroSchema): string {
  const { name, namespace } = typeof schema === 'string' ? { name: schema } : (schema as Record<string, unknown>)
  if (typeof name === 'string') return typeof namespace === 'string' ? `${namespace}.${name}` : name
  return (JSON.stringify(schema) ?? String(schema)).slice(0, 80)
}

/**
 * The avsc type of a schema.
 * @throws MillraceError INVALID_SCHEMA when it is no Avro schema.
 */
export function avroType(schema: AvroSchema): AvroType {
  const registry: Record<string, avsc.Type> = {}
  try {
    const type = avsc.Type.forSchema(schema as avsc.Schema, { registry, typeHook, omitRecordMethods: true })
    for (const named of Object.values(registry)) makePlain(named)
    return type as AvroType
  } catch (thrown) {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `"${schemaName(schema)}" is not a valid Avro schema: ${messageOf(thrown)}. Correct the schema.`,
      { cause: thrown },
    )
  }
}

/**
 * Reads what `writer` wrote as values of `reader`, by Avro's rules of schema resolution (unqualified names must agree).
 * @throws MillraceError INVALID_SCHEMA naming both when that is not possible.
 */
export function avroResolver(reader: AvroType, writer: AvroType, readerName: string, writerName: string): AvroReadable {
  try {
    return reader.createResolver(writer, { ignoreNamespaces: true }) as AvroReadable
  } catch (thrown) {
    const reasons = unreadable(schemaOf(writer), schemaOf(reader))
    throw new MillraceError(
      'INVALID_SCHEMA',
      `Values written as ${writerName} cannot be read as ${readerName}: ${reasons.join('; ') || messageOf(thrown)}. ` +
        'Give new fields a default and keep the types of the others compatible.',
      { cause: thrown },
    )
  }
}

function schemaOf(type: AvroType): AvroSchema {
  return type.schema({ exportAttrs: true }) as AvroSchema
}
