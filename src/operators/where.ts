import { compilePredicate } from '../topology/predicate.js'
import { Flow, type Operator, STREAM, type Stream } from './flow.js'
import { transform } from './transform.js'

/** Expected values by field: all must match; a list matches any of its elements. */
export type Fields<V> = { readonly [F in keyof V]?: V[F] | readonly V[F][] }

/** Keeps the records whose fields match: `where({ eventType: 'COMPLETED', region: ['EU', 'US'] })`. */
export function where<K, V>(fields: NoInfer<Fields<NonNullable<V>>>): Operator<Stream<K, V>, Stream<K, V>> {
  const expected = { ...fields }
  const matches = compilePredicate(expected)
  const reads = Object.freeze(Object.keys(expected))
  return input => {
    const node = transform(
      input.node,
      { kind: 'where', changesKey: false, changesValue: false, reads },
      (record, out) => {
        if (matches(record.value)) out.next(record)
      },
    )
    return new Flow(STREAM, node)
  }
}
