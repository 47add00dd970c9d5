import { Subject } from 'rxjs'
import type { Node, StreamRecord } from '../../src/topology/node.js'

/** What an operator passed on, and what it reported. */
export interface Run {
  readonly out: StreamRecord[]
  readonly failures: { readonly node: Node; readonly thrown: unknown }[]
  readonly completed: boolean
}

/** Runs the operator of a transform node on records and completes. */
export function run(node: Node, records: readonly StreamRecord[]): Run {
  if (!('operate' in node)) throw new Error(`${node.kind} is no transform`)
  const out: StreamRecord[] = []
  const failures: Run['failures'] = []
  let completed = false
  const source = new Subject<StreamRecord>()
  source.pipe(node.operate({ fail: (at, thrown) => failures.push({ node: at, thrown }) })).subscribe({
    next: record => out.push(record),
    complete: () => {
      completed = true
    },
  })
  for (const record of records) source.next(record)
  source.complete()
  return { out, failures, completed }
}

/** A record with a text key. */
export function record<V>(value: V, timestamp = 1_000, key: string | null = 'k'): StreamRecord<{ key: string }, V> {
  return { key: key === null ? null : { key }, value, timestamp }
}
