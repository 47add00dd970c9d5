import type { Node, TopicSinkNode, WarehouseSinkNode } from '../topology/node.js'

/** What an operator makes of a flow: `events.pipe(filter(…))` calls it with `events`. */
export type Operator<I, O> = (input: I) => O

/** Flattens an intersection, so that editors and errors show its properties. */
export type Show<T> = { readonly [P in keyof T]: T[P] } & {}

/** States of a flow. They are sentences because a compiler error quotes them. */
export const STREAM = 'a stream'
export const WINDOWED = 'a windowed stream: window(...) comes before it, aggregate(...) or reduce(...) after it'
export const TABLE = 'a table: the result of aggregate(...) or reduce(...)'
export const OUTPUT = 'an output: end each flow with to(...)'

/** Runs the pipe of a flow; typed by the overloads of {@link Flow.pipe}. */
function run(input: unknown, operators: readonly Operator<never, unknown>[]): unknown {
  let flow = input
  for (const operator of operators) flow = operator(flow as never)
  return flow
}

/**
 * Records on their way: a graph node with the types of its key `K` and value `V`, and in `State` what may follow.
 * Frozen; piping makes new flows and runs nothing. Each input after the first is in `NoInfer`, so that a mistake is
 * reported at the operator that holds it.
 */
export class Flow<State extends string, K, V> {
  readonly state: State
  readonly node: Node
  /** Types only. */
  declare readonly key?: (key: K) => K
  /** Types only. */
  declare readonly value?: (value: V) => V

  constructor(state: State, node: Node) {
    this.state = state
    this.node = node
    Object.freeze(this)
  }

  pipe<T1>(o1: Operator<Flow<State, K, V>, T1>): T1
  pipe<T1, T2>(o1: Operator<Flow<State, K, V>, T1>, o2: Operator<NoInfer<T1>, T2>): T2
  pipe<T1, T2, T3>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
  ): T3
  pipe<T1, T2, T3, T4>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
  ): T4
  pipe<T1, T2, T3, T4, T5>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
  ): T5
  pipe<T1, T2, T3, T4, T5, T6>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
  ): T6
  pipe<T1, T2, T3, T4, T5, T6, T7>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
  ): T7
  pipe<T1, T2, T3, T4, T5, T6, T7, T8>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
  ): T8
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
    o9: Operator<NoInfer<T8>, T9>,
  ): T9
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
    o9: Operator<NoInfer<T8>, T9>,
    o10: Operator<NoInfer<T9>, T10>,
  ): T10
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
    o9: Operator<NoInfer<T8>, T9>,
    o10: Operator<NoInfer<T9>, T10>,
    o11: Operator<NoInfer<T10>, T11>,
  ): T11
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
    o9: Operator<NoInfer<T8>, T9>,
    o10: Operator<NoInfer<T9>, T10>,
    o11: Operator<NoInfer<T10>, T11>,
    o12: Operator<NoInfer<T11>, T12>,
  ): T12
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
    o9: Operator<NoInfer<T8>, T9>,
    o10: Operator<NoInfer<T9>, T10>,
    o11: Operator<NoInfer<T10>, T11>,
    o12: Operator<NoInfer<T11>, T12>,
    o13: Operator<NoInfer<T12>, T13>,
  ): T13
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>(
    o1: Operator<Flow<State, K, V>, T1>,
    o2: Operator<NoInfer<T1>, T2>,
    o3: Operator<NoInfer<T2>, T3>,
    o4: Operator<NoInfer<T3>, T4>,
    o5: Operator<NoInfer<T4>, T5>,
    o6: Operator<NoInfer<T5>, T6>,
    o7: Operator<NoInfer<T6>, T7>,
    o8: Operator<NoInfer<T7>, T8>,
    o9: Operator<NoInfer<T8>, T9>,
    o10: Operator<NoInfer<T9>, T10>,
    o11: Operator<NoInfer<T10>, T11>,
    o12: Operator<NoInfer<T11>, T12>,
    o13: Operator<NoInfer<T12>, T13>,
    o14: Operator<NoInfer<T13>, T14>,
  ): T14
  pipe(...operators: readonly Operator<never, unknown>[]): unknown {
    return run(this, operators)
  }
}

/** Records with a key of named columns (`null` where the source had none) and a value. */
export type Stream<K, V> = Flow<typeof STREAM, K, V>

/** A stream cut into windows: `aggregate` and `reduce` take it. */
export type WindowedStream<K, V> = Flow<typeof WINDOWED, K, V>

/** One row a key (with `windowStart` and `windowEnd` where it is windowed), holding measures `R`. */
export type Table<K, R> = Flow<typeof TABLE, K, R>

/** A flow that ends in a topic or in a warehouse table. */
export interface Output {
  readonly state: typeof OUTPUT
  readonly node: TopicSinkNode | WarehouseSinkNode
}

/** The key of a windowed table. */
export type Windowed<K> = Show<K & { readonly windowStart: Date; readonly windowEnd: Date }>
