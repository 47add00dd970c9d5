import { Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { declared, transform } from '../../src/operators/transform.js'
import type { StreamRecord, TransformNode } from '../../src/topology/node.js'
import { events } from './events.js'
import { record } from './run.js'

function node(fail = false): TransformNode {
  return transform(events.node, { kind: 'peek', changesKey: false, changesValue: false }, (one, out, report) => {
    if (fail) report(new Error('broken'))
    else out.next(one)
  })
}

describe('transform', () => {
  test('makes a frozen node that holds its input by reference', () => {
    const made = node()
    expect(made.inputs).toEqual([events.node])
    expect(made.inputs[0]).toBe(events.node)
    expect(Object.isFrozen(made) && Object.isFrozen(made.inputs)).toBe(true)
  })

  test('reports failures with the node that the graph holds', () => {
    const failures: unknown[] = []
    const made = node(true)
    const source = new Subject<StreamRecord>()
    source.pipe(made.operate({ fail: at => failures.push(at) })).subscribe()
    source.next(record(1))
    expect(failures).toEqual([made])
    expect(failures[0]).toBe(made)
  })

  test('each subscription has its own context', () => {
    const made = node(true)
    const counts = [0, 0]
    const source = new Subject<StreamRecord>()
    for (const i of [0, 1]) source.pipe(made.operate({ fail: () => counts[i]!++ })).subscribe()
    source.next(record(1))
    source.next(record(2))
    expect(counts).toEqual([2, 2])
  })

  test('passes on completion, an error, and the end of the subscription', () => {
    const source = new Subject<StreamRecord>()
    const seen: string[] = []
    const observer = {
      next: () => seen.push('next'),
      complete: () => seen.push('complete'),
      error: () => seen.push('error'),
    }
    source
      .pipe(node().operate({ fail: () => {} }))
      .subscribe(observer)
      .unsubscribe()
    expect(source.observed).toBe(false)
    source.pipe(node().operate({ fail: () => {} })).subscribe(observer)
    source.next(record(1))
    source.error(new Error('end'))
    expect(seen).toEqual(['next', 'error'])
    const other = new Subject<StreamRecord>()
    other.pipe(node().operate({ fail: () => {} })).subscribe(observer)
    other.complete()
    expect(seen).toEqual(['next', 'error', 'complete'])
  })
})

test('declared leaves out what is not given', () => {
  expect(declared({ value: undefined, key: 1 })).toEqual({ key: 1 })
})
