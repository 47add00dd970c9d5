import type { OperatorFunction } from 'rxjs'
import type { AvroSchema } from '../model/avro-schema.js'
import type { FieldInput, Measure } from './measure.js'

/** What flows through operators. `key` is a record of named columns, null where the source record had none. */
export interface StreamRecord<K = unknown, V = unknown> {
  readonly key: K | null
  readonly value: V
  /** Event time, ms since 1970. */
  readonly timestamp: number
}

/** What an operator tells the runtime about the source record in hand. */
export interface RecordContext {
  /** User code threw: the source record goes to the error policy and nothing of it remains anywhere. */
  fail(node: Node, thrown: unknown): void
}

/** An Avro record schema; after `pick`, the reader schema of the picked fields. */
export interface SchemaRef {
  readonly schema: AvroSchema
}

/** A window in ms. `size` and `advance` are Infinity for the global window, which starts at 0 and never closes. */
export interface WindowSpec {
  readonly type: 'tumbling' | 'hopping' | 'global'
  readonly size: number
  readonly advance: number
  readonly grace: number
}

/** A column of a key: its name, and the field or expression that it is computed from. */
export interface KeyColumn {
  readonly name: string
  readonly input: FieldInput
}

interface NodeShape {
  readonly inputs: readonly Node[]
}

/** Reads a topic. The key is UTF-8 text in the column `keyColumn`, unless `key` is an Avro schema of it. */
export interface SourceNode extends NodeShape {
  readonly kind: 'source'
  readonly topic: string
  readonly value: SchemaRef
  readonly key?: SchemaRef
  readonly keyColumn: string
  /** Field or function for event time; absent: the record's own timestamp. */
  readonly timestamp?: string | ((value: never) => number | Date)
  readonly nullValues: 'skip' | 'keep'
}

/** A synchronous step that keeps nothing. */
export interface TransformNode extends NodeShape {
  readonly kind: 'filter' | 'where' | 'map' | 'map-values' | 'select' | 'flat-map' | 'peek' | 'rx'
  /** Only `rx` has one. */
  readonly name?: string
  readonly operate: (context: RecordContext) => OperatorFunction<StreamRecord, StreamRecord>
  /** True where the node may change the key (map, flatMap, rx). */
  readonly changesKey: boolean
  /** True where the node may change the value's type (all but filter, where, peek). */
  readonly changesValue: boolean
  /** Declared type of the new value. */
  readonly value?: SchemaRef
  /** Declared type of the new key. */
  readonly key?: SchemaRef
  /** Only `select`: new fields by name. */
  readonly fields?: Readonly<Record<string, FieldInput>>
  /** Only `where`: the fields that it reads. */
  readonly reads?: readonly string[]
}

/** Sends records through an internal topic, keyed anew; without columns in `by` under the key they have. */
export interface RepartitionNode extends NodeShape {
  readonly kind: 'repartition'
  readonly name: string
  readonly by: readonly KeyColumn[]
  readonly partitions?: number
}

export interface WindowNode extends NodeShape {
  readonly kind: 'window'
  readonly window: WindowSpec
}

/** Measures a key and window. Its input is a window. */
export interface AggregateNode extends NodeShape {
  readonly kind: 'aggregate'
  readonly name: string
  readonly measures: Readonly<Record<string, Measure>>
  readonly emit: 'updates' | 'final'
}

/** One value a key and window, by a function that need not merge. Its input is a window. */
export interface ReduceNode extends NodeShape {
  readonly kind: 'reduce'
  readonly name: string
  readonly reducer: (a: never, b: never) => unknown
  readonly emit: 'updates' | 'final'
}

/** A table's rows as a stream of records that hold key columns, window and measures together. */
export interface ToStreamNode extends NodeShape {
  readonly kind: 'to-stream'
}

export interface TopicSinkNode extends NodeShape {
  readonly kind: 'to-topic'
  readonly topic: string
}

/**
 * `table` may be `schema.table`. Names in `sortKey`, `distKey` and the keys of `rename` and `maxBytes` are snake_case columns
 * before renaming.
 */
export interface WarehouseSinkNode extends NodeShape {
  readonly kind: 'to-warehouse'
  readonly table: string
  readonly freshness: number
  readonly sortKey: readonly string[]
  readonly distKey?: string
  readonly rename: Readonly<Record<string, string>>
  /** Rows of closed windows stand apart from those of open ones. */
  readonly split?: boolean
  /** Views that sum windows up to longer ones: their length in ms by name. */
  readonly coarser?: Readonly<Record<string, number>>
  /** A view of quantiles from counts (`count`) a logarithmic bucket (`bucket`): ranks by name of the view's columns. */
  readonly quantiles?: {
    readonly view: string
    readonly bucket: string
    readonly count: string
    readonly ranks: Readonly<Record<string, number>>
  }
  /** Longest values of columns of text or bytes, in UTF-8 bytes. */
  readonly maxBytes?: Readonly<Record<string, number>>
}

/** Every node is frozen and holds its inputs by reference. */
export type Node =
  | SourceNode
  | TransformNode
  | RepartitionNode
  | WindowNode
  | AggregateNode
  | ReduceNode
  | ToStreamNode
  | TopicSinkNode
  | WarehouseSinkNode

/** What to do with a record that cannot be decoded or whose processing throws. */
export type ErrorPolicy = 'fail' | 'skip' | 'deadLetter'

export interface TopologyOptions {
  readonly onError: ErrorPolicy
  /** Largest lead of a timestamp over the clock, in ms. */
  readonly maxAhead: number
  /** Time without a record after which a lane that was read to its end stops holding others back, in ms. */
  readonly idleAfter: number
  /** Longest time between two markers of a lane that moves, in ms. */
  readonly markerInterval: number
}

/** What `topology(...)` makes: data, frozen; building runs nothing. */
export interface Topology {
  readonly kind: 'topology'
  readonly name: string
  readonly options: TopologyOptions
  readonly outputs: readonly (TopicSinkNode | WarehouseSinkNode)[]
}
