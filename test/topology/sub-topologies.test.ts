import {
  aggregate,
  aggregator,
  count,
  filter,
  peek,
  reduce,
  repartition,
  sum,
  to,
  topic,
  topology,
  toStream,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import type { Node, RepartitionNode } from '../../src/topology/node.js'
import { combinable, subTopologies } from '../../src/topology/sub-topologies.js'
import { events, type QuestEvent } from '../operators/events.js'

const byType = events.pipe(
  filter(() => true),
  repartition('by-type', { by: 'questType' }),
)
const minutes = byType.pipe(window(tumbling('1 minute')), aggregate('minute', { c: count() }, { emit: 'final' }))
const hours = minutes.pipe(
  toStream(),
  repartition('all', { by: ['questType'] }),
  window(tumbling('1 hour')),
  aggregate('hour', { c: sum('c') }),
)
const made = topology(
  'quests',
  minutes.pipe(to(warehouse('minute'))),
  hours.pipe(to(warehouse('hour'))),
  events.pipe(to(topic('copy'))),
)

describe('subTopologies', () => {
  test('cuts at repartitions and at warehouse tables, each part with one source', () => {
    const kinds = (nodes: readonly Node[]) =>
      nodes.map(node => ('name' in node ? `${node.kind} ${node.name}` : node.kind))
    const shown = subTopologies(made).map(({ id, source, nodes, outputs }) => [
      id,
      ...kinds([source]),
      kinds(nodes),
      kinds(outputs),
    ])
    expect(shown).toEqual([
      [0, 'source', ['filter'], ['repartition by-type', 'to-topic']],
      [1, 'repartition by-type', ['window', 'aggregate minute', 'to-stream'], ['to-warehouse', 'repartition all']],
      [2, 'to-warehouse', [], []],
      [3, 'repartition all', ['window', 'aggregate hour'], ['to-warehouse']],
      [4, 'to-warehouse', [], []],
    ])
  })

  test('what a part reads was written by a part before it', () => {
    const parts = subTopologies(made)
    for (const { id, source } of parts) {
      if (source.kind === 'source') continue
      const writers = parts.filter(part => part.outputs.some(output => output === source))
      expect(writers).toHaveLength(1)
      expect(writers[0]!.id).toBeLessThan(id)
    }
  })
})

describe('combinable', () => {
  const tableOf = (flow: { node: Node }) => {
    if (flow.node.kind !== 'aggregate' && flow.node.kind !== 'reduce') throw new Error('no table')
    return flow.node
  }
  const repartitioned = byType.node as RepartitionNode
  const windowed = byType.pipe(window(tumbling('1 minute')))

  test('an aggregate of merging measures directly behind the repartition', () => {
    expect(combinable(repartitioned, tableOf(minutes))).toBe(true)
  })

  test('not behind another operator, nor of another repartition', () => {
    const behind = byType.pipe(
      peek(() => {}),
      window(tumbling('1 minute')),
      aggregate('n', { c: count() }),
    )
    expect(combinable(repartitioned, tableOf(behind))).toBe(false)
    expect(combinable(repartitioned, tableOf(hours))).toBe(false)
  })

  test('not with a measure that does not merge, and not a reduce', () => {
    const custom = aggregator({ state: 'int', zero: 0, add: (n: number, _: QuestEvent) => n + 1 })
    expect(combinable(repartitioned, tableOf(windowed.pipe(aggregate('n', { c: count(), custom }))))).toBe(false)
    expect(combinable(repartitioned, tableOf(windowed.pipe(reduce('r', a => a))))).toBe(false)
    const merging = aggregator({
      state: 'int',
      zero: 0,
      add: (n: number, _: QuestEvent) => n + 1,
      merge: (a, b) => a + b,
    })
    expect(combinable(repartitioned, tableOf(windowed.pipe(aggregate('n', { c: count(), merging }))))).toBe(true)
  })
})
