import { map, type Observable, retry } from 'rxjs'
import type { StreamRecord, TransformNode } from '../topology/node.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import type { Made, MapSchemas, Returned } from './map.js'
import { declared } from './transform.js'

/**
 * Any synchronous RxJS operators: `rx('rising', records$ => records$.pipe(pairwise(), …))`. What it holds back (a buffer,
 * a scan) is not persisted and is lost on a restart; what it emits outside of a record's processing (after a delay) belongs
 * to no transaction.
 *
 * An error fails the record in hand, and the operators start anew for the next one. Schemas as for `map`.
 */
export function rx<K, V, K2, V2, KS = never, VS = never>(
  name: string,
  operators: (records: Observable<StreamRecord<K, V>>) => Observable<StreamRecord<Returned<KS, K2>, Returned<VS, V2>>>,
  schemas: MapSchemas<KS, VS> = {},
): Operator<Stream<K, V>, Stream<Made<KS, K2>, Made<VS, V2>>> {
  return input => {
    const node: TransformNode = Object.freeze<TransformNode>({
      kind: 'rx',
      name,
      inputs: Object.freeze([input.node]),
      changesKey: true,
      changesValue: true,
      ...declared(schemas),
      operate: context => source =>
        operators(source as Observable<StreamRecord<K, V>>).pipe(
          map(({ key, value, timestamp }): StreamRecord => ({ key, value, timestamp })),
          retry({
            delay: thrown => {
              context.fail(node, thrown)
              return [null]
            },
          }),
        ),
    })
    return new Flow(STREAM, node)
  }
}
