import { MillraceError } from '../model/errors.js'
import { partitionFor } from '../model/murmur2.js'
import type { Header } from '../model/record-batch.js'
import type { LogProducer } from '../ports/log.js'
import type { AvroCodec, WireWriter } from '../ports/serde.js'
import type { StreamRecord, TopicSinkNode, WarehouseSinkNode } from '../topology/node.js'
import type { FieldValues } from './field-values.js'
import { EVENT_TIME_HEADER } from './freshness.js'
import { Format, headerOf } from './internal-value.js'
import type { KeyRecord } from './key-codec.js'
import type { Effect, EffectTarget } from './record-effects.js'
import type { Output } from './sub-topology-program.js'
import type { TaskContext } from './task-context.js'

type Fields = Readonly<Record<string, unknown>>

/** A value or key in Confluent's wire format, with its fields as Avro takes them. */
export interface WireEncoding {
  readonly values: FieldValues
  readonly writer: WireWriter
}

/** Writes records to a user's topic. */
export class TopicOutput implements Output, EffectTarget {
  constructor(
    private readonly node: TopicSinkNode,
    private readonly partitions: number,
    /** Undefined: the key is text, the only column of the key record. */
    private readonly key: WireEncoding | undefined,
    private readonly value: WireEncoding,
    private readonly producer: LogProducer,
  ) {}

  accept(record: StreamRecord, context: TaskContext): void {
    try {
      const keyBytes = this.keyBytes(record.key as KeyRecord | null)
      const { values, writer } = this.value
      const value = record.value === null ? null : writer.encode(values.toAvro(record.value as Fields))
      const effect = context.effects.next(this)
      effect.keyBytes = keyBytes
      effect.value = value
      effect.timestamp = record.timestamp
      effect.at(context.position)
    } catch (thrown) {
      context.fail(this.node, thrown)
      return
    }
    context.reached = true
  }

  private keyBytes(key: KeyRecord | null): Buffer | null {
    if (key === null) return null
    if (this.key) return this.key.writer.encode(this.key.values.toAvro(key))
    const [text, ...others] = Object.values(key)
    if (text === null || text === undefined) return null
    if (typeof text === 'string' && others.length === 0) return Buffer.from(text)
    throw new MillraceError(
      'MISSING_KEY',
      `The key of a record for topic "${this.node.topic}" is no single text column: give the operator that makes it { key: schema }.`,
    )
  }

  apply(effect: Effect): void {
    const { keyBytes, value, timestamp, position } = effect
    const partition = keyBytes === null ? position.partition % this.partitions : partitionFor(keyBytes, this.partitions)
    this.producer.send(this.node.topic, partition, keyBytes, value, timestamp)
  }
}

/** Writes a table's absolute rows, keyed, to its compacted rows topic. */
export class RowsOutput implements Output, EffectTarget {
  private readonly header: Buffer
  /** In front of the last row of a window that closed, where the table keeps such rows apart. */
  private readonly closedHeader: Buffer

  constructor(
    private readonly node: WarehouseSinkNode,
    private readonly topic: string,
    private readonly partitions: number,
    private readonly key: { readonly values: FieldValues; readonly codec: AvroCodec },
    private readonly row: { readonly values: FieldValues; readonly codec: AvroCodec },
    private readonly producer: LogProducer,
    private readonly now: () => number,
  ) {
    this.header = headerOf(Format.row, row.codec.fingerprint)
    this.closedHeader = node.split ? headerOf(Format.rowClosed, row.codec.fingerprint) : this.header
  }

  accept(record: StreamRecord, context: TaskContext): void {
    try {
      const { key, row } = this
      const keyBytes = key.codec.encode(key.values.toAvro(record.key as Fields))
      const header = context.closing === undefined ? this.header : this.closedHeader
      const value =
        record.value === null
          ? null
          : Buffer.concat([header, row.codec.encode(row.values.toAvro(record.value as Fields))])
      const effect = context.effects.next(this)
      effect.keyBytes = keyBytes
      effect.value = value
      // What was shown before is no late news: freshness counts from now.
      effect.timestamp = context.closing === 'unchanged' ? this.now() : record.timestamp
    } catch (thrown) {
      context.fail(this.node, thrown)
      return
    }
    context.reached = true
  }

  /** The rows topic is compacted, and its tombstones age by the wall clock, so that is its timestamp. */
  apply(effect: Effect): void {
    const key = effect.keyBytes as Buffer
    const headers: Header[] = [[EVENT_TIME_HEADER, String(effect.timestamp)]]
    this.producer.send(this.topic, partitionFor(key, this.partitions), key, effect.value, this.now(), headers)
  }
}
