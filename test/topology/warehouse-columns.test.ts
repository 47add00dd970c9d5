import {
  aggregate,
  count,
  globalWindow,
  map,
  max,
  type Output,
  reduce,
  repartition,
  to,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import { columnOf, rowKey, warehouseColumns } from '../../src/topology/warehouse-columns.js'
import { events } from '../operators/events.js'

function sinkOf(output: Output) {
  if (output.node.kind !== 'to-warehouse') throw new Error('no warehouse')
  return output.node
}

const byType = events.pipe(repartition('r', { by: 'questType' }))

describe('warehouseColumns', () => {
  test('key, window and measures in snake_case, renamed where that is said', () => {
    const columns = warehouseColumns(
      sinkOf(
        byType.pipe(
          window(tumbling('1 minute')),
          aggregate('n', { allEvents: count(), slowestMs: max('durationMs') }),
          to(warehouse('t', { rename: { slowest_ms: 'slowest', quest_type: 'type' } })),
        ),
      ),
    )
    expect(columns?.map(columnOf)).toEqual([
      { name: 'type', type: 'text', nullable: false },
      { name: 'window_start', type: 'timestamp', nullable: false },
      { name: 'window_end', type: 'timestamp', nullable: false },
      { name: 'all_events', type: 'long', nullable: false },
      { name: 'slowest', type: 'long', nullable: true },
    ])
    expect(columns?.map(column => [column.original, column.part])).toEqual([
      ['quest_type', 'key'],
      ['window_start', 'window'],
      ['window_end', 'window'],
      ['all_events', 'measure'],
      ['slowest_ms', 'measure'],
    ])
    expect(rowKey(columns ?? []).map(column => column.name)).toEqual(['type', 'window_start', 'window_end'])
  })

  test('the global window has no columns', () => {
    const columns = warehouseColumns(
      sinkOf(byType.pipe(window(globalWindow()), aggregate('n', { c: count() }), to(warehouse('t')))),
    )
    expect(columns?.map(column => column.name)).toEqual(['quest_type', 'c'])
    expect(rowKey(columns ?? []).map(column => column.name)).toEqual(['quest_type'])
  })

  test('a field of a reduce that is a key column is there once', () => {
    const columns = warehouseColumns(
      sinkOf(
        byType.pipe(
          window(tumbling('1 minute')),
          reduce('n', a => a),
          to(warehouse('t')),
        ),
      ),
    )
    expect(columns?.filter(column => column.name === 'quest_type').map(column => column.part)).toEqual(['key'])
    expect(columns).toHaveLength(8)
  })

  test('they are unknown where the key is', () => {
    const lost = events.pipe(
      map(record => record),
      window(tumbling('1 minute')),
      aggregate('n', { c: count() }),
      to(warehouse('t')),
    )
    expect(warehouseColumns(sinkOf(lost))).toBeUndefined()
  })
})
