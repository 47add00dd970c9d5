import { MillraceError, messageOf } from '../model/errors.js'
import { partitionFor } from '../model/murmur2.js'
import type { AvroCodec, AvroSerde } from '../ports/serde.js'
import type { FieldShape } from '../topology/shape.js'
import { type FieldValues, fieldValues, recordSchema } from './field-values.js'

/** A key record as user code sees it: named columns. */
export type KeyRecord = Readonly<Record<string, unknown>>

/** A key in its three forms. Entries of equal keys are the same object as long as the codec remembers them. */
export class KeyEntry {
  private target = -1
  private targets = 0

  constructor(
    /** The bytes as latin1 text: a key for maps, in byte order. */
    readonly id: string,
    readonly bytes: Buffer,
    readonly columns: KeyRecord,
  ) {}

  partition(partitions: number): number {
    if (this.targets !== partitions) {
      this.targets = partitions
      this.target = partitionFor(this.bytes, partitions)
    }
    return this.target
  }
}

/** Entries remembered before the memory is given back. */
const REMEMBERED = 200_000

/**
 * Keys between bytes and records of named columns. A single text column may be plain UTF-8 (`utf8`, the keys of source
 * topics); every other key is an Avro record of its columns.
 */
export class KeyCodec {
  private readonly avro: AvroCodec | undefined
  private readonly column: string
  private readonly values: FieldValues
  private readonly textOnly: boolean
  private byText = new Map<string, KeyEntry>()
  private byId = new Map<string, KeyEntry>()
  private byRecord = new WeakMap<object, KeyEntry>()

  constructor(
    readonly columns: readonly FieldShape[],
    encoding: 'utf8' | 'avro',
    serde: AvroSerde,
  ) {
    this.column = columns[0]?.name ?? 'key'
    this.textOnly = columns.length === 1 && columns[0]!.type === 'text'
    this.avro = encoding === 'utf8' && this.textOnly ? undefined : serde.codec(recordSchema('Key', columns))
    this.values = fieldValues(columns)
  }

  /** The entry of a key read from a topic. @throws MillraceError UNDECODABLE */
  ofBytes(bytes: Buffer): KeyEntry {
    const id = bytes.toString('latin1')
    const known = this.byId.get(id)
    if (known) return known
    const copy = Buffer.from(bytes)
    const columns: KeyRecord =
      this.avro === undefined
        ? { [this.column]: copy.toString('utf8') }
        : this.values.fromAvro(this.avro.decode(copy, 0, copy.length) as Record<string, unknown>)
    return this.remember(new KeyEntry(id, copy, columns))
  }

  /**
   * The entry of a key record; undefined where the key is null, or all of its columns are.
   * @throws MillraceError MISSING_KEY when the record does not have the columns' types.
   */
  ofRecord(key: KeyRecord | null): KeyEntry | undefined {
    if (key === null || key === undefined) return undefined
    if (this.textOnly) {
      const text = key[this.column]
      if (text === null || text === undefined) return undefined
      if (typeof text === 'string') return this.ofText(text)
    }
    const known = this.byRecord.get(key)
    if (known) return known
    if (this.columns.every(c => key[c.name] === null || key[c.name] === undefined)) return undefined
    // As read from bytes: user code sees the same columns and types whether a key was just made or restored.
    const entry = this.ofBytes(this.encode(key))
    this.byRecord.set(key, entry)
    return entry
  }

  /** The entry of the key whose only column is this text. */
  ofText(text: string): KeyEntry {
    const known = this.byText.get(text)
    if (known) return known
    const entry = this.ofBytes(this.encode({ [this.column]: text }))
    this.byText.set(text, entry)
    return entry
  }

  private encode(key: KeyRecord): Buffer {
    try {
      if (this.avro) return this.avro.encode(this.values.toAvro(key))
      return Buffer.from(key[this.column] as string, 'utf8')
    } catch (thrown) {
      const wanted = this.columns.map(c => `${c.name}: ${c.type}`).join(', ')
      throw new MillraceError('MISSING_KEY', `The key does not have the columns { ${wanted} }: ${messageOf(thrown)}`, {
        cause: thrown,
      })
    }
  }

  private remember(entry: KeyEntry): KeyEntry {
    if (this.byId.size >= REMEMBERED) {
      this.byId = new Map()
      this.byText = new Map()
    }
    this.byId.set(entry.id, entry)
    this.byRecord.set(entry.columns, entry)
    return entry
  }
}
