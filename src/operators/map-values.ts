import type { StreamRecord } from '../topology/node.js'
import type { Schema } from '../topology/schema.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import type { Made, Returned } from './map.js'
import { declared, transform } from './transform.js'

/**
 * Makes a new value of each; key and timestamp stay. Give `{ value: schema }` where a later operator persists values:
 * what a function returns has no type at run time. `select({…})` of typed fields needs none.
 */
export function mapValues<K, V, V2, VS = never>(
  mapper: (value: V, record: StreamRecord<K, V>) => Returned<VS, V2>,
  schemas: { readonly value?: Schema<VS> } = {},
): Operator<Stream<K, V>, Stream<K, Made<VS, V2>>> {
  return input => {
    const node = transform(
      input.node,
      { kind: 'map-values', changesKey: false, changesValue: true, ...declared(schemas) },
      (record, out, fail) => {
        let mapped: StreamRecord
        try {
          const value = mapper(record.value as V, record as StreamRecord<K, V>)
          mapped = { key: record.key, value, timestamp: record.timestamp }
        } catch (thrown) {
          fail(thrown)
          return
        }
        out.next(mapped)
      },
    )
    return new Flow(STREAM, node)
  }
}
