import { distinctMeasures, type NeededMeasure, type QueryNeed } from './query-need.js'
import type { RowEstimates } from './row-estimate.js'

/** Fields and window of a rollup. */
interface Shape {
  readonly dimensions: readonly string[]
  /** Ms. */
  readonly grain: number
}

/** A rollup that is worth its upkeep. */
export interface PlannedRollup extends Shape {
  readonly measures: readonly NeededMeasure[]
  readonly rows: number
  /** Rows ÷ events. */
  readonly share: number
  /** Indexes of the queries that are answered from it, wholly or in part. */
  readonly queries: readonly number[]
  /** What they cost less, upkeep not taken off, in the unit of the costs. */
  readonly saving: number
}

/** A query that rollups can answer. */
export interface PlannedQuery {
  readonly cost: number
  /** One for each select over the raw table. All of them have to be answered. */
  readonly needs: readonly QueryNeed[]
}

export interface RollupPlan {
  readonly rollups: readonly PlannedRollup[]
  /** What remains of each query's cost; undefined for those that no planned rollup answers. */
  readonly costs: readonly (number | undefined)[]
}

/** Part of all cost that each rollup costs, however small: somebody has to know it and look after it. */
const UPKEEP = 0.03
/** Part of all cost that a rollup with as many rows as there are events would cost, to make and to keep. */
const WRITES = 0.5
/** Shapes beyond which no more are merged. */
const SHAPES = 400

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function merged(a: Shape, b: Shape): Shape {
  return { dimensions: [...new Set([...a.dimensions, ...b.dimensions])].sort(), grain: gcd(a.grain, b.grain) }
}

const idOf = ({ dimensions, grain }: Shape): string => `${dimensions.join(' ')}@${grain}`

function answers(shape: Shape, need: QueryNeed): boolean {
  return need.grain % shape.grain === 0 && need.dimensions.every(name => shape.dimensions.includes(name))
}

/** The shapes that queries need, and what they make when they are merged, two and two, again and again. */
function shapesOf(queries: readonly PlannedQuery[]): readonly Shape[] {
  const shapes = new Map<string, Shape>()
  for (const { needs } of queries)
    for (const { dimensions, grain } of needs) shapes.set(idOf({ dimensions, grain }), { dimensions, grain })
  for (let before = 0; before < shapes.size && shapes.size < SHAPES; ) {
    const all = [...shapes.values()]
    before = all.length
    for (const a of all) {
      for (const b of all) {
        const both = merged(a, b)
        if (shapes.size < SHAPES) shapes.set(idOf(both), both)
      }
    }
  }
  return [...shapes.values()]
}

/** Cheapest way to answer every need of a query from some shapes: what it then costs; undefined where they do not suffice. */
function costFrom(
  { cost, needs }: PlannedQuery,
  chosen: readonly Shape[],
  shares: ReadonlyMap<Shape, number>,
): number | undefined {
  let total = 0
  for (const need of needs) {
    const fitting = chosen.filter(shape => answers(shape, need)).map(shape => shares.get(shape) as number)
    if (fitting.length === 0) return undefined
    total += (cost / needs.length) * Math.min(...fitting)
  }
  return total
}

/**
 * Chooses rollups, the most worthwhile one first, as long as one more is worth its upkeep, then leaves out again those that
 * later ones made superfluous. A query costs `rows ÷ events` of what it costs on the raw table; a rollup costs 3 % of all
 * cost, and half of all cost times its `rows ÷ events`.
 *
 * Source of the greedy choice: V. Harinarayan, A. Rajaraman, J. Ullman, "Implementing data cubes efficiently", 1996.
 */
export function planRollups(queries: readonly PlannedQuery[], totalCost: number, rows: RowEstimates): RollupPlan {
  const shapes = shapesOf(queries)
  const shares = new Map(shapes.map(shape => [shape, rows.estimate(shape.dimensions, shape.grain).share]))
  const upkeep = (shape: Shape): number => totalCost * (UPKEEP + WRITES * (shares.get(shape) as number))
  const net = (chosen: readonly Shape[]): number => {
    const saved = queries.reduce((sum, query) => sum + query.cost - (costFrom(query, chosen, shares) ?? query.cost), 0)
    return saved - chosen.reduce((sum, shape) => sum + upkeep(shape), 0)
  }
  let chosen: readonly Shape[] = []
  let best = 0
  for (;;) {
    const next = shapes
      .filter(shape => !chosen.includes(shape))
      .map(shape => ({ chosen: [...chosen, shape], worth: net([...chosen, shape]) }))
      .reduce((most, one) => (one.worth > most.worth ? one : most), { chosen, worth: best })
    if (next.worth <= best) break
    chosen = next.chosen
    best = next.worth
    for (const shape of chosen) {
      const without = chosen.filter(one => one !== shape)
      const worth = net(without)
      if (worth >= best) {
        chosen = without
        best = worth
      }
    }
  }
  return {
    rollups: assigned(queries, chosen, shares, rows),
    costs: queries.map(query => costFrom(query, chosen, shares)),
  }
}

/** Every need goes to the smallest rollup that answers it. */
function assigned(
  queries: readonly PlannedQuery[],
  chosen: readonly Shape[],
  shares: ReadonlyMap<Shape, number>,
  rows: RowEstimates,
): readonly PlannedRollup[] {
  const small = [...chosen].sort((a, b) => (shares.get(a) as number) - (shares.get(b) as number))
  const uses = new Map(
    small.map(shape => [shape, { measures: [] as NeededMeasure[], queries: new Set<number>(), saving: 0 }]),
  )
  for (const [index, query] of queries.entries()) {
    if (costFrom(query, chosen, shares) === undefined) continue
    for (const need of query.needs) {
      const shape = small.find(one => answers(one, need)) as Shape
      const use = uses.get(shape)!
      use.measures.push(...need.measures)
      use.queries.add(index)
      use.saving += (query.cost / query.needs.length) * (1 - (shares.get(shape) as number))
    }
  }
  return small
    .map(shape => {
      const { measures, queries: answered, saving } = uses.get(shape)!
      const { rows: count, share } = rows.estimate(shape.dimensions, shape.grain)
      return { ...shape, measures: distinctMeasures(measures), rows: count, share, queries: [...answered], saving }
    })
    .sort((a, b) => b.saving - a.saving)
}
