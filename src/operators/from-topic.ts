import type { KeysOf } from '../aggregates/field.js'
import type { SourceNode } from '../topology/node.js'
import type { Schema } from '../topology/schema.js'
import { Flow, type Show, STREAM, type Stream } from './flow.js'

/** How a topic is read. */
export interface SourceOptions<T, C extends string, K, N extends 'skip' | 'keep'> {
  /** Schema of the values; `questEvent.pick('questType', …)` decodes only those fields. */
  readonly value: Schema<T>
  /** Schema of the keys; without it a key is UTF-8 text. */
  readonly key?: Schema<K>
  /** Name of the column that a text key is in; default `'key'`. */
  readonly keyColumn?: C
  /**
   * Event time: a field (ms since 1970), or a function of the value. Default: the record's own timestamp, which is
   * also used for a null value.
   */
  readonly timestamp?: KeysOf<NoInfer<T>, number | bigint | Date> | ((value: NoInfer<T>) => number | Date)
  /**
   * `'skip'` (default): a null value is counted as skipped and goes no further. `'keep'`: values may be null.
   */
  readonly nullValues?: N
}

/**
 * The records of a topic. Runs nothing. Two flows on one topic use one `fromTopic(...)`, held in a constant.
 *
 * The key is a record of named columns: `{ key: string }`, unless `keyColumn` names the column or `key` is a schema.
 */
export function fromTopic<
  T,
  const C extends string = 'key',
  K = Show<{ readonly [P in C]: string }>,
  const N extends 'skip' | 'keep' = 'skip',
>(topic: string, options: SourceOptions<T, C, K, N>): Stream<K, N extends 'keep' ? T | null : T> {
  const { value, key, keyColumn, timestamp, nullValues } = options
  const node: SourceNode = {
    kind: 'source',
    inputs: Object.freeze([]),
    topic,
    value,
    ...(key && { key }),
    keyColumn: keyColumn ?? 'key',
    ...(timestamp !== undefined && { timestamp }),
    nullValues: nullValues ?? 'skip',
  }
  return new Flow(STREAM, Object.freeze(node))
}
