import type { StreamRecord } from '../topology/node.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import type { Made, MapSchemas, Returned } from './map.js'
import { declared, transform } from './transform.js'

/**
 * Makes any number of records of each, in the order of the iterable; their timestamp stays, and their key where they
 * name none. When the function or its iterable throws, none of them goes on. Schemas as for `map`.
 */
export function flatMap<K, V, V2, K2 = K, KS = never, VS = never>(
  mapper: (
    record: StreamRecord<K, V>,
  ) => Iterable<{ readonly key?: Returned<KS, K2> | null; readonly value: Returned<VS, V2> }>,
  schemas: MapSchemas<KS, VS> = {},
): Operator<Stream<K, V>, Stream<Made<KS, K2>, Made<VS, V2>>> {
  return input => {
    const node = transform(
      input.node,
      { kind: 'flat-map', changesKey: true, changesValue: true, ...declared(schemas) },
      (record, out, fail) => {
        const made: StreamRecord[] = []
        try {
          for (const { key, value } of mapper(record as StreamRecord<K, V>)) {
            made.push({ key: key === undefined ? record.key : key, value, timestamp: record.timestamp })
          }
        } catch (thrown) {
          fail(thrown)
          return
        }
        for (const one of made) out.next(one)
      },
    )
    return new Flow(STREAM, node)
  }
}
