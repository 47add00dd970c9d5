import type { StreamRecord } from '../topology/node.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import { transform } from './transform.js'

/** Keeps the records for which `predicate` is true. A type predicate narrows the value's type. */
export function filter<K, V, S extends V = V>(
  predicate:
    | ((value: V, record: StreamRecord<K, V>) => value is S)
    | ((value: V, record: StreamRecord<K, V>) => boolean),
): Operator<Stream<K, V>, Stream<K, S>> {
  return input => {
    const node = transform(
      input.node,
      { kind: 'filter', changesKey: false, changesValue: false },
      (record, out, fail) => {
        let kept: boolean
        try {
          kept = predicate(record.value as V, record as StreamRecord<K, V>)
        } catch (thrown) {
          fail(thrown)
          return
        }
        if (kept) out.next(record)
      },
    )
    return new Flow(STREAM, node)
  }
}
