import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  aggregate,
  approxDistinct,
  count,
  filter,
  globalWindow,
  hopping,
  max,
  mean,
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
import { expect, describe as suite, test } from 'vitest'
import { describe } from '../../src/topology/describe.js'
import { describeMermaid } from '../../src/topology/describe-mermaid.js'
import { describeText } from '../../src/topology/describe-text.js'
import type { Topology } from '../../src/topology/node.js'
import { assertValid } from '../../src/topology/validate.js'
import { events } from '../operators/events.js'

const folder = fileURLToPath(new URL('../../topologies/', import.meta.url))
const files = readdirSync(folder).filter(file => file.endsWith('.ts'))

const byType = events.pipe(repartition('by-type', { by: 'questType', partitions: 12 }))
const minutes = byType.pipe(
  window(hopping('1 minute', { advance: '10 seconds' })),
  aggregate('minute', { c: count(), slowest: max('durationMs') }, { emit: 'final' }),
)
const wide = topology(
  'wide',
  { onError: 'skip' },
  minutes.pipe(to(warehouse('a.minute', { distKey: 'quest_type', rename: { c: 'n' }, freshness: '5 seconds' }))),
  minutes.pipe(
    toStream(),
    filter(row => row.c > 1),
    repartition('by-hour', { by: 'questType' }),
    window(tumbling('1 hour')),
    aggregate('hour', { c: sum('c') }),
    to(topic('hours')),
  ),
  byType.pipe(
    window(globalWindow()),
    reduce('last', (_, next) => next),
    to(topic('last')),
  ),
  events.pipe(window(tumbling('1 day')), aggregate('day', { c: count() }), to(topic('days'))),
)

const views = topology(
  'views',
  byType.pipe(
    window(tumbling('1 minute', { grace: '30 seconds' })),
    aggregate('minute', {
      events: count(),
      gold: sum('rewardGold'),
      meanGold: mean('rewardGold'),
      slowest: max('durationMs'),
      players: approxDistinct('userId'),
    }),
    to(
      warehouse('analytics.quest_minute', {
        split: true,
        coarser: { quest_hour: '1 hour', quest_day: '1 day' },
        maxBytes: { quest_type: 100 },
      }),
    ),
  ),
)

suite('golden descriptions', () => {
  test('there is one of each topology of the repository', () => {
    expect(files.length).toBeGreaterThanOrEqual(2)
  })

  test.each(files)('%s', async file => {
    const { default: made } = (await import(join(folder, file))) as { default: Topology }
    assertValid(made)
    const name = basename(file, '.ts')
    await expect(describeText(describe(made))).toMatchFileSnapshot(`golden/${name}.txt`)
    await expect(describeMermaid(describe(made))).toMatchFileSnapshot(`golden/${name}.mmd`)
  })

  test('one with all that there is', async () => {
    assertValid(wide)
    const description = describe(wide, { namespace: 'prod' })
    await expect(describeText(description)).toMatchFileSnapshot('golden/wide.txt')
    await expect(describeMermaid(description)).toMatchFileSnapshot('golden/wide.mmd')
    await expect(`${JSON.stringify(description, null, 2)}\n`).toMatchFileSnapshot('golden/wide.json.txt')
  })

  test('one with a split table and coarser views', async () => {
    assertValid(views)
    const description = describe(views, { namespace: 'prod' })
    await expect(describeText(description)).toMatchFileSnapshot('golden/views.txt')
    await expect(`${JSON.stringify(description.tables, null, 2)}\n`).toMatchFileSnapshot('golden/views.json.txt')
  })
})

suite('describe', () => {
  const description = describe(wide, { partitions: new Map([['quest-events', 8]]) })

  test('labels are unique, and each edge has both ends', () => {
    for (const { nodes } of description.subTopologies) {
      const labels = nodes.map(node => node.label)
      expect(new Set(labels).size).toBe(labels.length)
      for (const node of nodes) {
        for (const next of node.successors) {
          expect(nodes.find(one => one.label === next)?.predecessors).toContain(node.label)
        }
        for (const previous of node.predecessors) {
          expect(nodes.find(one => one.label === previous)?.successors).toContain(node.label)
        }
      }
    }
  })

  test('a topic that one sub-topology reads is a source topic or written by another', () => {
    const written = description.subTopologies.flatMap(part =>
      part.nodes.filter(node => node.type === 'sink').flatMap(node => node.topics),
    )
    const read = description.subTopologies.flatMap(part =>
      part.nodes.filter(node => node.type === 'source').flatMap(node => node.topics),
    )
    expect(read.filter(one => !written.includes(one))).toEqual(['quest-events'])
  })

  test('known partition counts give numbers', () => {
    expect(description.subTopologies.map(part => part.tasks.count)).toEqual([8, 12, 12, 12])
    expect(description.processes).toEqual({ expression: '12', count: 12 })
    expect(description.internalTopics.map(({ name, partitions }) => `${name} ${partitions.count}`)).toEqual([
      'wide-day-changelog 8',
      'wide-by-type-repartition 12',
      'wide-minute-changelog 12',
      'wide-last-changelog 12',
      'wide-a-minute-rows 12',
      'wide-by-hour-repartition 12',
      'wide-hour-changelog 12',
      'wide-progress 1',
      'wide-dead-letters 8',
    ])
  })

  test('says of each store how records reach it', () => {
    expect(description.stores.map(({ name, records, window: cut }) => [name, records, cut])).toEqual([
      ['minute', 'combined', "hopping '1 minute', advance '10 seconds', grace '0ms'"],
      ['hour', 'combined', "tumbling '1 hour', grace '0ms'"],
      ['last', 'raw', 'global'],
      ['day', 'local', "tumbling '1 day', grace '0ms'"],
    ])
  })
})
