import { aggregate, count, int, logBucket, max, repartition, to, topology, tumbling, warehouse, window } from 'millrace'
import { describe, expect, test } from 'vitest'
import { describe as describeTopology } from '../../../src/topology/describe.js'
import { describeText } from '../../../src/topology/describe-text.js'
import { validate } from '../../../src/topology/validate.js'
import { events } from '../../operators/events.js'

const QUANTILES = { view: 'quest_quantiles', bucket: 'bucket', count: 'events', ranks: { p50: 0.5 } }

const table = events.pipe(
  repartition('r', {
    by: { questType: 'questType', bucket: logBucket('rewardGold'), gold: int(e => e.rewardGold) },
  }),
  window(tumbling('1 minute')),
  aggregate('n', { events: count(), most: max('rewardGold') }),
)

/** A topology with these options, as JavaScript users write them. */
function withQuantiles(quantiles: Partial<typeof QUANTILES> | object) {
  const options = { quantiles: { ...QUANTILES, ...quantiles } }
  return topology('quests', table.pipe(to(warehouse('quest_minute', options as never))))
}

const problems = (quantiles: object) =>
  validate(withQuantiles(quantiles)).map(({ code, message, node }) => `${code} ${node}: ${message}`)
const AT = 'QUANTILES to(warehouse) "quest_minute" (operator 5): '
const HOW = "Make it one with repartition('…', { by: { …, "

describe('quantiles of a table', () => {
  test('have no problem where they name a bucket and a count', () => {
    expect(problems({})).toEqual([])
  })

  test('need a bucket that is a key column', () => {
    expect(problems({ bucket: 'bucke' })).toEqual([
      `${AT}\`quantiles\` takes the bucket from "bucke", which is no key column. Did you mean "bucket"? Known are quest_type, bucket, gold. ${HOW}bucke: logBucket('…') } }).`,
    ])
    expect(problems({ bucket: 'gold' })).toEqual([
      `${AT}\`quantiles\` takes the bucket from "gold", which is no logarithmic bucket. ${HOW}gold: logBucket('…') } }).`,
    ])
  })

  test('need a count', () => {
    expect(problems({ count: 'most' })).toEqual([
      `${AT}\`quantiles\` counts by "most", which is no count() of the table. Known are events.`,
    ])
  })

  test('need ranks from 0 to 1, with names that no other column has', () => {
    expect(problems({ ranks: {} })).toEqual([
      `${AT}\`quantiles\` has no ranks. Name at least one, such as { p50: 0.5 }.`,
    ])
    expect(problems({ ranks: { p50: 50, 'p 9': 0.9, events: 0.5, quest_type: 1 } })).toEqual([
      `${AT}The rank of "p50" is 50, but must be from 0 to 1: 0.5 is the median.`,
      `${AT}"p 9" is no name of a column of quantiles: write lower-case letters, digits and "_", and no digit first.`,
      `${AT}The quantile "events" has the name of another column of the view. Rename it.`,
      `${AT}The quantile "quest_type" has the name of another column of the view. Rename it.`,
    ])
  })

  test('need a view of a name of its own', () => {
    expect(problems({ view: 'quest_minute' })).toEqual([
      expect.stringMatching(/^DUPLICATE_NAME .*"quest_minute" would be .* Rename one of them\.$/),
    ])
    expect(problems({ view: 'Quest-Quantiles' })).toEqual([expect.stringMatching(/^ILLEGAL_NAME .*no name/)])
  })

  test('say how to make a bucket where the table has no count, too', () => {
    const bare = events.pipe(
      repartition('r', { by: { bucket: logBucket('rewardGold') } }),
      window(tumbling('1 minute')),
      aggregate('n', { most: max('rewardGold') }),
      to(warehouse('t', { quantiles: { ...QUANTILES, bucket: 'bucket', count: 'most' } })),
    )
    expect(validate(topology('quests', bare)).map(({ message }) => message)).toEqual([
      '`quantiles` counts by "most", which is no count() of the table. Add one: aggregate(\'…\', { most: count() }).',
    ])
  })

  test('stand in the description', () => {
    const description = describeTopology(withQuantiles({ ranks: { p50: 0.5, p95: 0.95 } }))
    expect(description.tables[0]?.quantiles).toMatchObject({ name: 'quest_quantiles', accuracy: 0.01 })
    expect(describeText(description)).toContain(
      '    view quest_quantiles: quantiles p50 (0.5), p95 (0.95) of events by bucket, within 1 %\n',
    )
  })

  test('of a field that is not picked are reported at the repartition', () => {
    const lacking = events.pipe(
      repartition('r', { by: { bucket: logBucket('nope' as 'rewardGold') } }),
      window(tumbling('1 minute')),
      aggregate('n', { events: count() }),
      to(warehouse('t')),
    )
    expect(validate(topology('quests', lacking)).map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^UNKNOWN_FIELD `by` names "nope", which is no field of the value here\./),
    ])
  })
})
