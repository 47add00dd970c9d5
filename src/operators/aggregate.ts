import type { Measure } from '../topology/measure.js'
import type { AggregateNode } from '../topology/node.js'
import { Flow, type Operator, TABLE, type Table, type WindowedStream } from './flow.js'

/** The row that measures make. */
export type Results<A> = { readonly [N in keyof A]: A[N] extends Measure<never, infer R> ? R : never }

/** When a table's rows go on. */
export interface EmitOptions {
  /** `'updates'` (default): the latest row at each commit. `'final'`: one row a window, when it closes. */
  readonly emit?: 'updates' | 'final'
}

/**
 * Keeps measures a key and window, in the store and changelog topic named `name`:
 * `aggregate('quest-minute', { events: count(), gold: sum('rewardGold') })`.
 */
export function aggregate<K, V, A extends { readonly [measure: string]: Measure<V, unknown> }>(
  name: string,
  measures: A,
  options: EmitOptions = {},
): Operator<WindowedStream<K, V>, Table<K, Results<A>>> {
  return input => {
    const node: AggregateNode = Object.freeze({
      kind: 'aggregate',
      inputs: Object.freeze([input.node]),
      name,
      measures: Object.freeze({ ...measures }),
      emit: options.emit ?? 'updates',
    })
    return new Flow(TABLE, node)
  }
}
