import type { RecordBatch } from '../model/record-batch.js'
import type { Row, RowKey, TableSpec } from '../ports/warehouse.js'
import type { AggregateNode, Node, ReduceNode, StreamRecord, WindowSpec } from '../topology/node.js'
import type { SubTopology } from '../topology/sub-topologies.js'
import type { KeyCodec } from './key-codec.js'
import type { MeasureProgram } from './measure-program.js'
import type { CatalogueEntry } from './progress.js'
import type { RepartitionWriter } from './repartition-writer.js'
import type { TaskContext } from './task-context.js'

/** An aggregate or reduce, compiled once a process. */
export interface AggregateProgram {
  readonly node: AggregateNode | ReduceNode
  readonly window: WindowSpec
  readonly program: MeasureProgram
  readonly keys: KeyCodec
  readonly changelog: string
  /** It merges partials instead of taking records. */
  readonly combined: boolean
  /** Of its states and partials. */
  readonly fingerprint: Buffer
  readonly entry: CatalogueEntry
  /** How far its stream time lies behind the task's: size + grace of the tables before it in the same task. */
  readonly lag: number
}

/** What takes records at the end of a pipe. */
export interface Output {
  accept(record: StreamRecord, context: TaskContext): void
}

/** Reads a source topic. */
export interface SourceInput {
  readonly kind: 'source'
  /** Null values go no further. */
  readonly skipsNull: boolean
  /**
   * The record at `index`, or the id of a schema to `prepare` first.
   * @throws MillraceError UNDECODABLE, UNKNOWN_SCHEMA_ID, INVALID_SCHEMA, INVALID_TIMESTAMP
   */
  read(batch: RecordBatch, index: number): StreamRecord | number
  prepare(id: number): Promise<void>
}

/** Reads a repartition topic: partials, raw records, markers. */
export interface RepartitionInput {
  readonly kind: 'repartition'
  readonly keys: KeyCodec
  /** The topic whose partitions are the lanes that feed it. */
  readonly laneTopic: string
  /** The aggregate whose partials have this fingerprint. */
  aggregateOf(fingerprint: string): Node | undefined
  /** Decodes values of raw records with this fingerprint. */
  rawDecoder(fingerprint: string): ((data: Buffer, start: number, end: number) => unknown) | undefined
}

/** A sub-topology that processes records, compiled once a process; its tasks share it. */
export interface SubTopologyProgram {
  readonly kind: 'processing'
  /** Name of its source: the topic, or the repartition. Names tasks and folders, so it does not depend on build order. */
  readonly name: string
  /** For messages. */
  readonly label: string
  readonly sub: SubTopology
  readonly topic: string
  readonly input: SourceInput | RepartitionInput
  readonly aggregates: ReadonlyMap<Node, AggregateProgram>
  readonly outputs: ReadonlyMap<Node, Output>
  readonly writers: readonly RepartitionWriter[]
  readonly markerFingerprint: string
}

/** A sub-topology that fills a warehouse table from its rows topic. */
export interface RowsProgram {
  readonly kind: 'rows'
  readonly topic: string
  readonly topicId: string | undefined
  readonly partitions: number
  readonly table: TableSpec
  /** From an event to the row that stands for it, as the topology promises it, in ms. */
  readonly visibleWithin: number
  /** The same from the row on: without what it waited for windows to close. */
  readonly freshness: number
  row(key: Buffer, value: Buffer): Row
  rowKey(key: Buffer): RowKey
  keyBytes(key: RowKey): Buffer
}
