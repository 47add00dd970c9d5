import { describe, expect, test } from 'vitest'
import type { QueryNeed } from '../../src/advise/query-need.js'
import { planRollups } from '../../src/advise/rollup-plan.js'
import type { RowEstimates } from '../../src/advise/row-estimate.js'
import { DAY, HOUR, MINUTE } from '../../src/advise/time-grain.js'

const VALUES: Readonly<Record<string, number>> = { type: 20, region: 8, user: 1_000_000 }
const EVENTS = 10_000_000

const rows: RowEstimates = {
  sampled: true,
  events: EVENTS,
  estimate(dimensions, grain) {
    const count = Math.min(
      EVENTS,
      dimensions.reduce((n, name) => n * VALUES[name]!, DAY / grain),
    )
    return { rows: count, share: count / EVENTS }
  },
}

const need = (dimensions: readonly string[], grain: number): QueryNeed => ({
  dimensions,
  grain,
  measures: [{ kind: 'count' }],
  approximations: [],
})
const query = (cost: number, ...needs: readonly QueryNeed[]) => ({ cost, needs })
const total = (queries: readonly { readonly cost: number }[]) => queries.reduce((sum, { cost }) => sum + cost, 0)
const plan = (queries: readonly ReturnType<typeof query>[]) => planRollups(queries, total(queries), rows)
const shapes = (queries: readonly ReturnType<typeof query>[]) =>
  plan(queries).rollups.map(({ dimensions, grain }) => [dimensions.join('+'), grain])

describe('the plan', () => {
  test('merges grains and dimensions into one rollup where that is small', () => {
    const queries = [
      query(40, need(['type'], HOUR)),
      query(30, need(['region'], 5 * MINUTE)),
      query(30, need(['type'], DAY)),
    ]
    expect(shapes(queries)).toEqual([['region+type', 5 * MINUTE]])
    const { rollups, costs } = plan(queries)
    expect(rollups[0]?.queries).toEqual([0, 1, 2])
    expect(rollups[0]?.rows).toBe(20 * 8 * 288)
    expect(costs[0]).toBeCloseTo(40 * ((20 * 8 * 288) / EVENTS))
  })

  test('takes the greatest common grain', () => {
    const queries = [query(50, need(['type'], 10 * MINUTE)), query(50, need(['type'], 15 * MINUTE))]
    expect(shapes(queries)).toEqual([['type', 5 * MINUTE]])
  })

  test('makes no rollup that has about as many rows as there are events', () => {
    expect(plan([query(100, need(['user'], HOUR))])).toEqual({ rollups: [], costs: [undefined] })
  })

  test('makes no rollup for what costs next to nothing', () => {
    expect(shapes([query(99, need(['type'], HOUR)), query(1, need(['user'], DAY))])).toEqual([['type', HOUR]])
  })

  test('answers a query from several rollups where it needs several', () => {
    const queries = [
      query(60, need(['type'], HOUR), need(['region'], HOUR)),
      query(40, need(['user'], HOUR), need(['type'], HOUR)),
    ]
    const { costs } = plan(queries)
    expect(costs[0]).toBeLessThan(1)
    expect(costs[1]).toBeUndefined()
  })

  test('of no queries is empty', () => {
    expect(plan([])).toEqual({ rollups: [], costs: [] })
  })
})
