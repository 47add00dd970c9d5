import { aggregate, count, logBucket, mapValues, repartition, select, to, tumbling, warehouse, window } from 'millrace'
import { expect, test } from 'vitest'
import { tableSpec } from '../../src/runtime/rows-program.js'
import type { WarehouseSinkNode } from '../../src/topology/node.js'
import { quantileView } from '../../src/topology/quantile-views.js'
import { events } from '../operators/events.js'

const QUANTILES = { view: 'quantiles', bucket: 'bucket', count: 'events', ranks: { p50: 0.5, p95: 0.95 } } as const
const table = events.pipe(
  repartition('r', { by: { questType: 'questType', bucket: logBucket('rewardGold', { accuracy: 0.05 }) } }),
  window(tumbling('1 minute')),
  aggregate('n', { events: count() }),
)
const nodeOf = (output: { readonly node: unknown }) => output.node as WarehouseSinkNode

test('groups by all keys but the bucket, and takes the accuracy from the bucket', () => {
  expect(quantileView(nodeOf(table.pipe(to(warehouse('t', { quantiles: QUANTILES })))))).toEqual({
    name: 'quantiles',
    groupBy: ['quest_type', 'window_start', 'window_end'],
    bucket: 'bucket',
    count: 'events',
    accuracy: 0.05,
    quantiles: [
      { column: 'p50', rank: 0.5 },
      { column: 'p95', rank: 0.95 },
    ],
  })
})

test('has the names of renamed columns, and is a view of the table', () => {
  const rename = { bucket: 'b', events: 'n', quest_type: 'kind' }
  const node = nodeOf(table.pipe(to(warehouse('t', { quantiles: QUANTILES, rename }))))
  const view = { name: 'quantiles', groupBy: ['kind', 'window_start', 'window_end'], bucket: 'b', count: 'n' }
  expect(quantileView(node)).toMatchObject(view)
  expect(tableSpec(node).views).toEqual([{ kind: 'quantiles', ...quantileView(node) }])
})

test('knows the accuracy of a bucket that is a field of the value', () => {
  const selected = events.pipe(
    select({ kind: 'questType', bucket: logBucket('rewardGold', { accuracy: 0.1 }) }),
    repartition('r', { by: 'bucket' }),
    window(tumbling('1 minute')),
    aggregate('n', { events: count() }),
    to(warehouse('t', { quantiles: QUANTILES })),
  )
  expect(quantileView(nodeOf(selected))?.accuracy).toBe(0.1)
})

test('there is none where the sink asks for none, or its columns are unknown', () => {
  expect(quantileView(nodeOf(table.pipe(to(warehouse('t')))))).toBeUndefined()
  const untyped = events.pipe(
    mapValues(value => value),
    repartition('r', { by: 'questType' }),
    window(tumbling('1 minute')),
    aggregate('n', { events: count() }),
  )
  const quantiles = { ...QUANTILES, bucket: 'quest_type' } as const
  expect(quantileView(nodeOf(untyped.pipe(to(warehouse('t', { quantiles })))))).toBeUndefined()
})
