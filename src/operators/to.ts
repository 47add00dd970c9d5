import type { Node, TopicSinkNode, WarehouseSinkNode } from '../topology/node.js'
import { type Flow, type Operator, OUTPUT, type Output } from './flow.js'

/** Where a flow ends: `topic(...)` or `warehouse(...)`. `State` says which flows it takes. */
export interface Sink<State extends string, K, R> {
  readonly sink: Omit<TopicSinkNode, 'inputs'> | Omit<WarehouseSinkNode, 'inputs'>
  /** Types only. */
  readonly _state?: (state: State) => void
  readonly _key?: (key: K) => void
  readonly _row?: (row: R) => void
}

/** Ends a flow: `to(topic('abandoned'))`, or for a table also `to(warehouse('quest_minute'))`. */
export function to<State extends string, K, R>(sink: Sink<State, K, R>): Operator<Flow<NoInfer<State>, K, R>, Output> {
  return input => {
    const inputs: readonly Node[] = Object.freeze([input.node])
    return Object.freeze({ state: OUTPUT, node: Object.freeze({ ...sink.sink, inputs }) })
  }
}
