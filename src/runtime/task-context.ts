import type { Position } from '../topology/measure.js'
import type { Node, RecordContext } from '../topology/node.js'
import { RecordEffects } from './record-effects.js'

/** A node's user code that threw. */
export interface Failure {
  readonly node: Node
  readonly thrown: unknown
}

/** The record that a task has in hand, and what has become of it so far. One a task, reused. */
export class TaskContext implements RecordContext {
  effects = new RecordEffects()
  /** Time of the record's lane, after the record moved it. */
  laneTime = Number.NEGATIVE_INFINITY
  /** Where the record was read; `index` counts what was made of it. */
  readonly position: { -readonly [F in keyof Position]: Position[F] } = {
    timestamp: 0,
    topic: '',
    partition: 0,
    offset: 0,
    index: 0,
  }
  /** It reached a window of an aggregate, or an output. */
  reached = false
  /** Windows that refused it. */
  refused = 0
  /** Windows that refused it because they closed while its lane was idle. */
  refusedAfterIdle = 0
  /** It had no key where one is needed. */
  keyless = false
  /** The row in hand is the last one of its window, which closes; `'unchanged'`: it was sent before as it is. */
  closing: 'changed' | 'unchanged' | undefined
  failure: Failure | undefined
  /** A fault of Millrace itself, which stops the process: it must not pass for the user's. */
  fault: unknown

  begin(): void {
    this.reached = false
    this.refused = 0
    this.refusedAfterIdle = 0
    this.keyless = false
    this.failure = undefined
    this.fault = undefined
    this.position.index = 0
  }

  /** Notes where the record in hand was read. */
  place(topic: string, partition: number, offset: number, timestamp: number): void {
    this.position.topic = topic
    this.position.partition = partition
    this.position.offset = offset
    this.position.timestamp = timestamp
  }

  fail(node: Node, thrown: unknown): void {
    this.failure ??= { node, thrown }
  }
}
