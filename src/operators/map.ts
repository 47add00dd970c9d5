import type { StreamRecord } from '../topology/node.js'
import type { Schema } from '../topology/schema.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import { declared, transform } from './transform.js'

/** What comes out: `S` where a schema declares it, else `T`, which is what the function returns. */
export type Made<S, T> = [S] extends [never] ? T : S

/** What a function has to return: `S` where a schema declares it. */
export type Returned<S, T> = [S] extends [never] ? T : NoInfer<S>

/** Types of what a function makes, needed where a later operator persists it. */
export interface MapSchemas<K, V> {
  readonly value?: Schema<V>
  readonly key?: Schema<K>
}

/**
 * Makes one record of each, key included; its timestamp stays. `key` may be null. Give `{ value: schema }` where a later
 * operator persists values, `{ key: schema }` where one persists keys: what a function returns has no type at run time.
 */
export function map<K, V, K2, V2, KS = never, VS = never>(
  mapper: (record: StreamRecord<K, V>) => { readonly key: Returned<KS, K2> | null; readonly value: Returned<VS, V2> },
  schemas: MapSchemas<KS, VS> = {},
): Operator<Stream<K, V>, Stream<Made<KS, K2>, Made<VS, V2>>> {
  return input => {
    const node = transform(
      input.node,
      { kind: 'map', changesKey: true, changesValue: true, ...declared(schemas) },
      (record, out, fail) => {
        let mapped: StreamRecord
        try {
          const { key, value } = mapper(record as StreamRecord<K, V>)
          mapped = { key, value, timestamp: record.timestamp }
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
