import { Observable, Subscriber } from 'rxjs'
import type { Node, StreamRecord, TransformNode } from '../topology/node.js'

/** Reports that user code threw; the record in hand is then dropped by the step. */
type Fail = (thrown: unknown) => void

/**
 * What becomes of one record: calls `out.next` for each record that follows from it. User code is to be called in a
 * `try` of its own, `out.next` outside of it: what throws further down is not this operator's failure.
 */
type Step = (record: StreamRecord, out: Subscriber<StreamRecord>, fail: Fail) => void

/**
 * Passes each record to a step. A subclass of Subscriber, because RxJS wraps any other observer in one that catches
 * what is thrown below it and reports it later, out of the caller's sight.
 */
class StepSubscriber extends Subscriber<StreamRecord> {
  constructor(
    private readonly out: Subscriber<StreamRecord>,
    private readonly step: Step,
    private readonly fail: Fail,
  ) {
    super(out)
  }

  protected override _next(record: StreamRecord): void {
    this.step(record, this.out, this.fail)
  }
}

/** A frozen node that handles one record at a time. */
export function transform(input: Node, node: Omit<TransformNode, 'inputs' | 'operate'>, step: Step): TransformNode {
  const frozen: TransformNode = Object.freeze<TransformNode>({
    ...node,
    inputs: Object.freeze([input]),
    operate: context => source =>
      new Observable(out => source.subscribe(new StepSubscriber(out, step, thrown => context.fail(frozen, thrown)))),
  })
  return frozen
}

/** The declared schemas of a node, without those that are not given. */
export function declared<T extends object>(schemas: T): T {
  return Object.fromEntries(Object.entries(schemas).filter(([, schema]) => schema !== undefined)) as T
}
