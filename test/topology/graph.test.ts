import { aggregate, count, filter, repartition, to, topic, topology, tumbling, warehouse, window } from 'millrace'
import { expect, test } from 'vitest'
import { graphOf } from '../../src/topology/graph.js'
import { events } from '../operators/events.js'

const table = events.pipe(
  repartition('r', { by: 'questType' }),
  window(tumbling('1 minute')),
  aggregate('n', { c: count() }),
)
const made = topology(
  'quests',
  table.pipe(to(warehouse('t'))),
  events.pipe(
    filter(() => true),
    to(topic('x')),
  ),
  table.pipe(to(topic('rows'))),
)

test('a flow that is used twice is one node; inputs come before their readers', () => {
  const { nodes } = graphOf(made)
  expect(nodes.map(node => node.kind)).toEqual([
    'source',
    'repartition',
    'window',
    'aggregate',
    'to-warehouse',
    'filter',
    'to-topic',
    'to-topic',
  ])
  expect(new Set(nodes).size).toBe(nodes.length)
})

test('the order depends on the declaration alone', () => {
  expect(graphOf(made).nodes).toEqual(graphOf(made).nodes)
})

test('readers are known', () => {
  const { nodes, readers } = graphOf(made)
  expect(readers.get(events.node)?.map(node => node.kind)).toEqual(['repartition', 'filter'])
  expect(readers.get(table.node)?.map(node => node.kind)).toEqual(['to-warehouse', 'to-topic'])
  expect(readers.get(nodes.at(-1)!)).toEqual([])
})
