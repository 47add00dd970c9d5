/** Rows of an answer, in its order. */
export type Answer = readonly (readonly unknown[])[]

/** True where both answers are the same rows in the same order, value for value. */
export function sameAnswer(a: Answer, b: Answer): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Relative standard error of Trino's `approx_distinct` and Millrace's `approxDistinct`. */
const STANDARD_ERROR = 0.023
/** An estimate further off than so many standard errors is wrong: 1 of 16,000 would be by chance. */
const WORST = 4

/** How far estimates are off. */
export interface EstimateError {
  /** Root mean square of the relative errors: what a standard error says. */
  readonly rms: number
  /** The largest relative error. */
  readonly worst: number
  /** Cells that are missing, too many, or off by more than four standard errors. */
  readonly wrongCells: number
}

/** Compares rows of (quest type, day, estimate) with the exact numbers by `hunt 2026-11-01`. */
export function estimateError(answer: Answer, exact: ReadonlyMap<string, number>): EstimateError {
  let squares = 0
  let worst = 0
  let wrongCells = 0
  const seen = new Set<string>()
  for (const [type, day, estimate] of answer) {
    const cell = `${type} ${String(day).slice(0, 10)}`
    const truth = exact.get(cell)
    if (truth === undefined || seen.has(cell)) {
      wrongCells++
      continue
    }
    seen.add(cell)
    const error = Math.abs(Number(estimate) - truth) / truth
    squares += error * error
    worst = Math.max(worst, error)
    if (!(error <= WORST * STANDARD_ERROR)) wrongCells++
  }
  wrongCells += exact.size - seen.size
  return { rms: Math.sqrt(squares / Math.max(1, seen.size)), worst, wrongCells }
}

/** True where the estimates keep what is stated: none beyond four standard errors, and a standard error as promised. */
export function withinStatedError({ rms, wrongCells }: EstimateError): boolean {
  return wrongCells === 0 && rms <= 1.25 * STANDARD_ERROR
}
