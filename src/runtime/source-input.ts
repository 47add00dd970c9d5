import { MillraceError, messageOf } from '../model/errors.js'
import { keyBytesAt } from '../model/record-batch.js'
import type { AvroSerde, WireReader } from '../ports/serde.js'
import type { Node, SourceNode, StreamRecord } from '../topology/node.js'
import { keyShape } from '../topology/shape.js'
import { fieldValues } from './field-values.js'
import type { KeyCodec } from './key-codec.js'
import type { SourceInput } from './sub-topology-program.js'

/**
 * Reads the records of a source topic. `keys` is absent where nothing in the topology looks at the key, and for keys of
 * an Avro schema.
 */
export function sourceInput(node: SourceNode, keys: KeyCodec | undefined, serde: AvroSerde): SourceInput {
  const reader = serde.reader(node.value.schema)
  const keyReader = node.key && serde.reader(node.key.schema)
  const keyValues = node.key && fieldValues(keyShape(node) ?? [])
  const timestampOf = timestampReader(node)
  return {
    kind: 'source',
    skipsNull: node.nullValues === 'skip',
    read(batch, index): StreamRecord | number {
      let key: unknown = null
      if (keyReader && keyValues && batch.keyLength[index]! >= 0) {
        const decoded = wireValue(keyReader, batch.data, batch.keyStart[index]!, batch.keyLength[index]!)
        if (typeof decoded === 'number') return decoded
        key = keyValues.fromAvro(decoded as Record<string, unknown>)
      } else if (keys) {
        const bytes = keyBytesAt(batch, index)
        key = bytes === null ? null : keys.ofBytes(bytes).columns
      }
      const appended = batch.timestamps[index]!
      const length = batch.valueLength[index]!
      if (length < 0) return { key, value: null, timestamp: checkTimestamp(appended) }
      const value = wireValue(reader, batch.data, batch.valueStart[index]!, length)
      if (typeof value === 'number') return value
      return { key, value, timestamp: checkTimestamp(timestampOf === undefined ? appended : timestampOf(value)) }
    },
    async prepare(id) {
      await reader.prepare(id)
      await keyReader?.prepare(id)
    },
  }
}

/** A record, or the id of the schema that is to be fetched first. */
function wireValue(reader: WireReader, data: Buffer, start: number, length: number): object | number {
  const value = reader.tryDecode(data, start, length)
  return value === undefined ? (reader.missingId(data, start, length) as number) : (value as object)
}

function timestampReader(node: SourceNode): ((value: object) => unknown) | undefined {
  const { timestamp } = node
  if (timestamp === undefined) return undefined
  if (typeof timestamp === 'string') return value => (value as Record<string, unknown>)[timestamp]
  const read = timestamp as (value: unknown) => unknown
  return value => {
    try {
      return read(value)
    } catch (thrown) {
      throw new MillraceError('USER_CODE', `The timestamp function threw: ${messageOf(thrown)}.`, { cause: thrown })
    }
  }
}

function checkTimestamp(value: unknown): number {
  const timestamp = value instanceof Date ? value.getTime() : value
  if (typeof timestamp === 'number' && Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp
  throw new MillraceError(
    'INVALID_TIMESTAMP',
    `Its timestamp is ${String(value)}, which is not a whole number of milliseconds since 1970. Mend the producer, or name another timestamp field.`,
  )
}

/** Whether any of these nodes can look at a record's key. */
export function readsKey(nodes: Iterable<Node>): boolean {
  for (const node of nodes) {
    if (node.kind === 'repartition' ? node.by.length === 0 : node.kind !== 'where' && node.kind !== 'select')
      return true
  }
  return false
}
