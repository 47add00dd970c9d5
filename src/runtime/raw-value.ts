import type { AvroCodec, AvroSerde } from '../ports/serde.js'
import type { Node, RepartitionNode, WindowSpec } from '../topology/node.js'
import { valueShape } from '../topology/shape.js'
import { combinable } from '../topology/sub-topologies.js'
import { type FieldValues, fieldValues, recordSchema } from './field-values.js'
import type { RawPath } from './repartition-writer.js'

/** The raw path with what its reader needs. */
export interface RawValue extends RawPath {
  readonly codec: AvroCodec
  readonly values: FieldValues
}

/** The raw path of a repartition; undefined where every reader is combined. */
export function rawValue(
  node: RepartitionNode,
  readers: ReadonlyMap<Node, readonly Node[]>,
  serde: AvroSerde,
): RawValue | undefined {
  const behind: { readonly table: Node; readonly window: WindowSpec | undefined }[] = []
  for (const reader of readers.get(node) ?? []) {
    if (reader.kind !== 'window') behind.push({ table: reader, window: undefined })
    else for (const table of readers.get(reader) ?? []) behind.push({ table, window: reader.window })
  }
  const raw = behind.filter(
    ({ table }) => !((table.kind === 'aggregate' || table.kind === 'reduce') && combinable(node, table)),
  )
  if (raw.length === 0) return undefined
  const fields = valueShape(node)!
  const windows = raw.map(({ window }) => window)
  const codec = serde.codec(recordSchema('Value', fields))
  const values = fieldValues(fields)
  return {
    codec,
    values,
    fingerprint: codec.fingerprint,
    encode: value => codec.encode(values.toAvro(value as Record<string, unknown>)),
    windows: windows.every(window => window !== undefined) ? (windows as readonly WindowSpec[]) : undefined,
  }
}
