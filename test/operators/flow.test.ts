import { filter, repartition, select, to, topic } from 'millrace'
import { expect, test } from 'vitest'
import { Flow, STREAM } from '../../src/operators/flow.js'
import { graphOf } from '../../src/topology/graph.js'
import { events } from './events.js'

test('a flow is frozen, and piping leaves it as it is', () => {
  const kept = events.pipe(filter(() => true))
  expect(Object.isFrozen(events) && Object.isFrozen(kept)).toBe(true)
  expect(kept).toBeInstanceOf(Flow)
  expect(kept.state).toBe(STREAM)
  expect(events.node.kind).toBe('source')
})

test('a pipe takes at least twelve operators', () => {
  const all = () => filter<{ readonly key: string }, { readonly questType: string }>(() => true)
  const narrow = events.pipe(select({ questType: 'questType' }))
  const output = narrow.pipe(
    all(),
    all(),
    all(),
    all(),
    all(),
    all(),
    all(),
    all(),
    all(),
    all(),
    repartition('r', { by: 'questType' }),
    to(topic('x')),
  )
  expect(graphOf({ outputs: [output.node] }).nodes.map(node => node.kind)).toEqual([
    'source',
    'select',
    ...Array.from({ length: 10 }, () => 'filter'),
    'repartition',
    'to-topic',
  ])
})
