/** A condition as data: a field's value is one of these. */
export type FieldCondition = Readonly<Record<string, readonly (string | number | boolean)[]>>

/** A measure that a rollup has to have. */
export interface NeededMeasure {
  readonly kind: 'count' | 'sum' | 'min' | 'max' | 'distinctSketch'
  /** Absent for the count of all events; with `count`, those in which the field is not null. */
  readonly field?: string
  readonly where?: FieldCondition
}

/** What a rollup has to have so that a statement can be answered from it. */
export interface QueryNeed {
  /** Fields that it groups by, filters by or joins by. */
  readonly dimensions: readonly string[]
  /** Ms. Windows of the rollup have to divide it. */
  readonly grain: number
  readonly measures: readonly NeededMeasure[]
  /** What the answer is not exact in. */
  readonly approximations: readonly string[]
}

/** Why no rollup answers a statement; thrown where it is found, and caught by {@link queryNeeds}. */
export class NotAnswerable extends Error {}

/** Equal for equal measures. */
function measureId({ kind, field = '', where = {} }: NeededMeasure): string {
  const conditions = Object.entries(where).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([kind, field, conditions])
}

/** The measures without repetition. */
export function distinctMeasures(measures: readonly NeededMeasure[]): readonly NeededMeasure[] {
  return [...new Map(measures.map(measure => [measureId(measure), measure])).values()]
}
