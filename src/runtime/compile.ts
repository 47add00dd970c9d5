import { Subject, Subscriber } from 'rxjs'
import type { Node, StreamRecord } from '../topology/node.js'
import type { TaskContext } from './task-context.js'

/** What stands at the end of a pipe: takes each record and must not throw on account of user code. */
export type Terminal = (record: StreamRecord) => void

/**
 * The end of a pipe. RxJS turns what is thrown below a pipe into an error notification of the pipe, which would pass
 * for the user's error: so a fault is kept in the context, and the task throws it.
 */
class TerminalSubscriber extends Subscriber<StreamRecord> {
  constructor(
    private readonly terminal: Terminal,
    private readonly context: TaskContext,
  ) {
    super()
  }

  protected override _next(record: StreamRecord): void {
    try {
      this.terminal(record)
    } catch (thrown) {
      this.context.fault ??= thrown
    }
  }
}

/** The entries of a compiled sub-topology: where its source's records go in, and the rows of each of its tables. */
export type Pipeline = ReadonlyMap<Node, Subject<StreamRecord>>

/**
 * Folds the nodes of one sub-topology into `subject.pipe(...)`, a subject a node. `source` and aggregates get a subject
 * that the task feeds; every node for which `terminalOf` gives an answer ends its pipe there; windows pass through.
 */
export function compile(
  nodes: readonly Node[],
  source: Node,
  context: TaskContext,
  terminalOf: (node: Node) => Terminal | undefined,
): Pipeline {
  const subjects = new Map<Node, Subject<StreamRecord>>()
  for (const node of nodes) {
    const input = node === source ? undefined : subjects.get(node.inputs[0] as Node)
    if (input === undefined) {
      subjects.set(node, new Subject())
      continue
    }
    const terminal = terminalOf(node)
    if (terminal) input.subscribe(new TerminalSubscriber(terminal, context))
    switch (node.kind) {
      case 'filter':
      case 'where':
      case 'map':
      case 'map-values':
      case 'select':
      case 'flat-map':
      case 'peek':
      case 'rx': {
        const output = new Subject<StreamRecord>()
        input.pipe(node.operate(context)).subscribe(output)
        subjects.set(node, output)
        break
      }
      case 'window':
        subjects.set(node, input)
        break
      case 'to-stream':
        subjects.set(node, rowsAsRecords(input))
        break
      case 'aggregate':
      case 'reduce':
        subjects.set(node, new Subject())
        break
      case 'repartition':
      case 'to-topic':
      case 'to-warehouse':
      case 'source':
        break
      default:
        node satisfies never
    }
  }
  return subjects
}

/** Rows of a table with their key columns in the value; a deleted row is not a record. */
function rowsAsRecords(rows: Subject<StreamRecord>): Subject<StreamRecord> {
  const records = new Subject<StreamRecord>()
  rows.subscribe(row => {
    if (row.value === null) return
    records.next({
      key: row.key,
      value: { ...(row.key as object), ...(row.value as object) },
      timestamp: row.timestamp,
    })
  })
  return records
}
