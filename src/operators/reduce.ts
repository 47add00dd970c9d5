import type { ReduceNode } from '../topology/node.js'
import type { EmitOptions } from './aggregate.js'
import { Flow, type Operator, TABLE, type Table, type WindowedStream } from './flow.js'

/**
 * Keeps one value a key and window: the first record's, then `reducer(kept, next)` in the order of reading, in the store
 * and changelog topic named `name`. It is not combined before a repartition, because a reducer need not merge: prefer
 * `aggregate` for hot keys. A reducer that returns null deletes the window's row.
 */
export function reduce<K, V>(
  name: string,
  reducer: (kept: V, next: V) => V | null,
  options: EmitOptions = {},
): Operator<WindowedStream<K, V>, Table<K, NonNullable<V>>> {
  return input => {
    const node: ReduceNode = Object.freeze({
      kind: 'reduce',
      inputs: Object.freeze([input.node]),
      name,
      reducer,
      emit: options.emit ?? 'updates',
    })
    return new Flow(TABLE, node)
  }
}
