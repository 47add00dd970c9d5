import type { Field } from '../aggregates/field.js'
import type { KeyColumn, RepartitionNode } from '../topology/node.js'
import { Flow, type Operator, type Show, STREAM, type Stream } from './flow.js'
import type { Selected } from './select.js'

/** A key: one field, several, or columns computed from fields and typed expressions. */
export type By<V> =
  | (keyof V & string)
  | readonly (keyof V & string)[]
  | { readonly [column: string]: (keyof V & string) | Field<V, unknown> }

/** The key that `by` makes: a record of named columns. */
export type KeyOf<V, B> = B extends keyof V
  ? Show<Pick<V, B>>
  : B extends readonly (infer F extends keyof V)[]
    ? Show<Pick<V, F>>
    : Selected<V, B>

function keyColumns(by: By<never> | string | readonly string[] | undefined): readonly KeyColumn[] {
  if (by === undefined) return []
  if (typeof by === 'string') return [{ name: by, input: by }]
  if (Array.isArray(by)) return by.map(field => ({ name: field, input: field }))
  return Object.entries(by).map(([name, input]) => ({ name, input }))
}

/**
 * Sends records through the internal topic `<group>-<name>-repartition`, keyed anew, so that equal keys meet in one
 * task. `by: 'region'`, `by: ['region', 'level']`, or `by: { hour: long(e => …) }`; without `by` the key stays.
 * `partitions` default to the largest partition count of the topics upstream.
 */
export function repartition<K, V, const B extends By<NonNullable<V>> = never>(
  name: string,
  options: { readonly by?: B; readonly partitions?: number } = {},
): Operator<Stream<K, V>, Stream<[B] extends [never] ? K : KeyOf<NonNullable<V>, B>, V>> {
  return input => {
    const by = keyColumns(options.by).map(column => Object.freeze(column))
    const node: RepartitionNode = Object.freeze({
      kind: 'repartition',
      inputs: Object.freeze([input.node]),
      name,
      by: Object.freeze(by),
      ...(options.partitions !== undefined && { partitions: options.partitions }),
    })
    return new Flow(STREAM, node)
  }
}
