import { aggregate, count, to, topic, tumbling, warehouse, window } from 'millrace'
import { describe, expect, test } from 'vitest'
import { OUTPUT } from '../../src/operators/flow.js'
import { events } from './events.js'

const table = events.pipe(window(tumbling('1 minute')), aggregate('n', { slowMs: count() }))

describe('to', () => {
  test('ends a flow in a topic', () => {
    const output = events.pipe(to(topic('abandoned')))
    expect(output).toEqual({
      state: OUTPUT,
      node: { kind: 'to-topic', inputs: [events.node], topic: 'abandoned' },
    })
    expect([output, output.node, output.node.inputs].every(Object.isFrozen)).toBe(true)
  })

  test('ends a table in a warehouse, within a minute unless told otherwise', () => {
    expect(table.pipe(to(warehouse('quest_minute'))).node).toEqual({
      kind: 'to-warehouse',
      inputs: [table.node],
      table: 'quest_minute',
      freshness: 60_000,
      sortKey: [],
      rename: {},
    })
  })

  test('a warehouse table has freshness, sort key, distribution key and names', () => {
    const { node } = table.pipe(
      to(
        warehouse('analytics.quest_minute', {
          freshness: '5 seconds',
          sortKey: ['window_start', 'key'],
          distKey: 'key',
          rename: { slow_ms: 'slow' },
        }),
      ),
    )
    expect(node).toMatchObject({
      table: 'analytics.quest_minute',
      freshness: 5_000,
      sortKey: ['window_start', 'key'],
      distKey: 'key',
      rename: { slow_ms: 'slow' },
    })
    expect(table.pipe(to(warehouse('t', { sortKey: 'key' }))).node).toMatchObject({ sortKey: ['key'] })
  })

  test('a split table, its coarser views and the lengths of its columns are kept as data', () => {
    const { node } = table.pipe(
      to(warehouse('t', { split: true, coarser: { hour: '1 hour', day: '1 day' }, maxBytes: { key: 40 } })),
    )
    expect(node).toMatchObject({
      split: true,
      coarser: { hour: 3_600_000, day: 86_400_000 },
      maxBytes: { key: 40 },
    })
    if (node.kind !== 'to-warehouse') throw new Error('no warehouse')
    expect([node.coarser, node.maxBytes].every(Object.isFrozen)).toBe(true)
    expect(() => warehouse('t', { coarser: { hour: '1 fortnight' as '1 hour' } })).toThrow(
      expect.objectContaining({ code: 'INVALID_DURATION' }),
    )
  })
})
