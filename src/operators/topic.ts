import type { STREAM, TABLE } from './flow.js'
import type { Sink } from './to.js'

/**
 * A topic as the end of a stream or a table. It has to exist. A table's rows are keyed by its key columns and window; a
 * deleted row is a null value.
 */
export function topic<K, R>(name: string): Sink<typeof STREAM | typeof TABLE, K, R> {
  return Object.freeze({ sink: Object.freeze({ kind: 'to-topic', topic: name }) })
}
