import type { StreamRecord } from '../topology/node.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import { transform } from './transform.js'

/** Shows each record to a function and passes it on unchanged. It may be shown again after a crash. */
export function peek<K, V>(look: (record: StreamRecord<K, V>) => void): Operator<Stream<K, V>, Stream<K, V>> {
  return input => {
    const node = transform(
      input.node,
      { kind: 'peek', changesKey: false, changesValue: false },
      (record, out, fail) => {
        try {
          look(record as StreamRecord<K, V>)
        } catch (thrown) {
          fail(thrown)
          return
        }
        out.next(record)
      },
    )
    return new Flow(STREAM, node)
  }
}
