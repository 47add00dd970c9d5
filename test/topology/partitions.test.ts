import {
  aggregate,
  avro,
  count,
  fromTopic,
  repartition,
  to,
  topology,
  toStream,
  tumbling,
  warehouse,
  window,
} from 'millrace'
import { expect, test } from 'vitest'
import { partitionPlan } from '../../src/topology/partitions.js'
import { subTopologies } from '../../src/topology/sub-topologies.js'

const schema = avro<{ a: string }>({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'string' }] })

function output(source: string, partitions?: number) {
  return fromTopic(source, { value: schema }).pipe(
    repartition(`by-${source}`, { by: 'a', ...(partitions !== undefined && { partitions }) }),
    window(tumbling('1 minute')),
    aggregate(`table-${source}`, { c: count() }),
    to(warehouse(`table_${source}`)),
  )
}

const two = subTopologies(topology('t', output('x'), output('y', 12)))

test('without a broker the counts are said in terms of the source topics', () => {
  const plan = partitionPlan(two)
  expect([...plan.tasks.values()]).toEqual([
    { expression: 'partitions(x)' },
    { expression: 'partitions(x)' },
    { expression: 'partitions(x)' },
    { expression: 'partitions(y)' },
    { expression: '12', count: 12 },
    { expression: '12', count: 12 },
  ])
  expect(plan.processes).toEqual({ expression: 'max(12, partitions(x), partitions(y))' })
})

test('known counts are used', () => {
  const plan = partitionPlan(two, new Map([['x', 8]]))
  expect(plan.widest).toEqual({ expression: 'max(8, partitions(y))' })
  const known = partitionPlan(
    two,
    new Map([
      ['x', 8],
      ['y', 3],
    ]),
  )
  expect([...known.tasks.values()].map(({ count }) => count)).toEqual([8, 8, 8, 3, 12, 12])
  expect(known.processes).toEqual({ expression: '12', count: 12 })
})

test('a repartition has the partitions of what its own sub-topology reads', () => {
  const first = fromTopic('x', { value: schema }).pipe(
    repartition('first', { by: 'a', partitions: 3 }),
    window(tumbling('1 minute')),
    aggregate('minutes', { c: count() }, { emit: 'final' }),
  )
  const again = first.pipe(
    toStream(),
    repartition('second', { by: 'a' }),
    window(tumbling('1 hour')),
    aggregate('hours', { c: count() }),
    to(warehouse('hours')),
  )
  const plan = partitionPlan(
    subTopologies(topology('t', again, output('y'))),
    new Map([
      ['x', 8],
      ['y', 16],
    ]),
  )
  expect([...plan.tasks.values()].map(({ count }) => count)).toEqual([8, 3, 3, 3, 16, 16, 16])
  expect(plan.widest.count).toBe(16)
})
