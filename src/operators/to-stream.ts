import type { ToStreamNode } from '../topology/node.js'
import { Flow, type Operator, type Show, STREAM, type Stream, type Table } from './flow.js'

/**
 * A table's rows as a stream. The key stays the table's; the value holds key columns, `windowStart` and `windowEnd`, and
 * measures together, so that a coarser table can be made of them: `toStream(), repartition(…), window(…), aggregate(…)`.
 */
export function toStream<K, R>(): Operator<Table<K, R>, Stream<K, Show<K & R>>> {
  return input => {
    const node: ToStreamNode = Object.freeze({ kind: 'to-stream', inputs: Object.freeze([input.node]) })
    return new Flow(STREAM, node)
  }
}
