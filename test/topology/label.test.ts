import { aggregate, count, filter, mapValues, rx, to, topic, toStream, tumbling, warehouse, window } from 'millrace'
import { expect, test } from 'vitest'
import { graphOf } from '../../src/topology/graph.js'
import { labelOf, positionOf, titleOf } from '../../src/topology/label.js'
import { events } from '../operators/events.js'

const table = events.pipe(
  filter(() => true),
  mapValues(value => value),
  rx('twice', records$ => records$),
  window(tumbling('1 minute')),
  aggregate('minute', { c: count() }),
)
const outputs = [table.pipe(to(warehouse('a.minute'))), table.pipe(toStream(), to(topic('rows')))]
const graph = graphOf({ outputs: outputs.map(output => output.node) })

test('a title names the operator, its name and its place', () => {
  expect(graph.nodes.map(node => titleOf(graph, node))).toEqual([
    'fromTopic "quest-events" (operator 1)',
    'filter (operator 2)',
    'mapValues (operator 3)',
    'rx "twice" (operator 4)',
    'window (operator 5)',
    'aggregate "minute" (operator 6)',
    'to(warehouse) "a.minute" (operator 7)',
    'toStream (operator 8)',
    'to(topic) "rows" (operator 9)',
  ])
  expect(positionOf(graph, table.node)).toBe(6)
})

test('a label is one word', () => {
  expect(graph.nodes.map(node => labelOf(graph, node))).toEqual([
    'source-quest-events',
    'filter-2',
    'map-values-3',
    'rx-twice',
    'window-5',
    'aggregate-minute',
    'to-warehouse-a.minute',
    'to-stream-8',
    'to-topic-rows',
  ])
})
