import type { AvroSerde } from '../ports/serde.js'
import type { RowKey, TableSpec } from '../ports/warehouse.js'
import { coarserViews } from '../topology/coarser-views.js'
import { warehouseTable } from '../topology/names.js'
import type { Node, WarehouseSinkNode } from '../topology/node.js'
import { quantileView } from '../topology/quantile-views.js'
import { type FieldShape, windowOf } from '../topology/shape.js'
import { columnOf, rowKey, warehouseColumns } from '../topology/warehouse-columns.js'
import { fieldValues, recordSchema } from './field-values.js'
import { Format, fingerprintAt, HEADER_BYTES, unknownFormat } from './internal-value.js'
import type { CatalogueEntry } from './progress.js'
import type { RowsProgram } from './sub-topology-program.js'

/** Key and measure fields of a sink's rows. */
export function rowFields(node: WarehouseSinkNode): {
  readonly key: readonly FieldShape[]
  readonly measures: readonly FieldShape[]
} {
  const columns = warehouseColumns(node) ?? []
  return {
    key: rowKey(columns).map(column => column.field),
    measures: columns.filter(column => column.part === 'measure').map(column => column.field),
  }
}

/** The warehouse table of a sink: key columns, window, measures, in snake_case unless renamed. */
export function tableSpec(node: WarehouseSinkNode, namespace?: string): TableSpec {
  const columns = warehouseColumns(node) ?? []
  const named = (name: string): string => node.rename[name] ?? name
  const quantiles = quantileView(node)
  const views = [
    ...coarserViews(node).map(({ leftOut: _, ...view }) => ({ kind: 'coarser' as const, ...view })),
    ...(quantiles ? [{ kind: 'quantiles' as const, ...quantiles }] : []),
  ]
  return {
    name: warehouseTable(node.table, namespace),
    columns: columns.map(columnOf),
    key: rowKey(columns).map(column => column.name),
    sortKey: node.sortKey.map(named),
    ...(node.distKey !== undefined && { distKey: named(node.distKey) }),
    ...(node.split && { split: true }),
    ...(views.length > 0 && { views }),
  }
}

/** How long the rows of a node wait for windows to close: size and grace of each table before it that emits final rows. */
function closingTime(node: Node): number {
  const before = Math.max(0, ...node.inputs.map(closingTime))
  if ((node.kind !== 'aggregate' && node.kind !== 'reduce') || node.emit !== 'final') return before
  const { size = 0, grace = 0 } = windowOf(node) ?? {}
  return before + size + grace
}

/** Whether a value of a rows topic is the last one of its key, since its window closed. */
export function isClosedRow(value: Buffer): boolean {
  return value[0] === Format.rowClosed
}

/** How rows of a rows topic become rows of its warehouse table. */
export function rowsProgram(
  node: WarehouseSinkNode,
  namespace: string | undefined,
  topic: string,
  topicId: string | undefined,
  partitions: number,
  serde: AvroSerde,
  /** The schema of rows that another version of the topology wrote. */
  schemaOf: (fingerprint: string) => CatalogueEntry | undefined,
): RowsProgram {
  const { key, measures } = rowFields(node)
  const keyCodec = serde.codec(recordSchema('Key', key))
  const keyValues = fieldValues(key)
  const rowCodec = serde.codec(recordSchema('Row', measures))
  const rowValues = fieldValues(measures)
  const decoders = new Map([[rowCodec.fingerprint.toString('latin1'), rowCodec.decode]])
  const decoder = (value: Buffer) => {
    const fingerprint = fingerprintAt(value, 0)
    let decode = decoders.get(fingerprint)
    if (decode === undefined) {
      const entry = schemaOf(fingerprint)
      if ((value[0] !== Format.row && !isClosedRow(value)) || entry?.node !== topic)
        throw unknownFormat(topic, value[0], fingerprint)
      decode = rowCodec.reading(entry.schema)
      decoders.set(fingerprint, decode)
    }
    return decode
  }
  const keyRecord = (bytes: Buffer) => keyValues.fromAvro(keyCodec.decode(bytes) as Record<string, unknown>)
  const pick = (fields: readonly FieldShape[], record: Record<string, unknown>) =>
    fields.map(field => (record[field.name] ?? null) as RowKey[number])
  return {
    kind: 'rows',
    topic,
    topicId,
    partitions,
    table: tableSpec(node, namespace),
    visibleWithin: node.freshness + closingTime(node),
    freshness: node.freshness,
    row: (bytes, value) => [
      ...pick(key, keyRecord(bytes)),
      ...pick(measures, rowValues.fromAvro(decoder(value)(value, HEADER_BYTES) as Record<string, unknown>)),
    ],
    rowKey: bytes => pick(key, keyRecord(bytes)),
    keyBytes: rowKey =>
      keyCodec.encode(keyValues.toAvro(Object.fromEntries(key.map((field, i) => [field.name, rowKey[i]])))),
  }
}
