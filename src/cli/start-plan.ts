import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { MillraceError, messageOf } from '../model/errors.js'

/** Events `[from, to)` of the sequence, evenly spread over `spanMs` from `start` on. */
export interface Segment {
  readonly from: number
  readonly to: number
  /** Event time of the first one, in ms since 1970. */
  readonly start: number
  readonly spanMs: number
}

/**
 * The sequence of events that `millrace start` makes in one state folder, kept there, so that a restart goes on with it. The
 * first segment spreads over the 6 hours before the first start; each later one over the time since the one before it ended.
 */
export interface EventPlan {
  readonly seed: number
  readonly segments: readonly Segment[]
}

const DEFAULT_SEED = 42
const FIRST_SPAN = 6 * 3_600_000

/** @throws MillraceError LOAD when the file cannot be read. */
export function readPlan(file: string): EventPlan | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw new MillraceError(
      'LOAD',
      `${file}, which holds the seed and the times of the events, cannot be read: ${messageOf(thrown)}. Take another --state.`,
      { cause: thrown },
    )
  }
}

/** Writes the whole file or, after a crash, none of it. */
export function writePlan(file: string, plan: EventPlan): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, `${JSON.stringify(plan, undefined, 2)}\n`, { flush: true })
  renameSync(`${file}.new`, file)
}

export interface PlanRequest {
  /** Asked for; default: the kept one, else 42. */
  readonly seed: number | undefined
  /** Number of events in the log. */
  readonly have: number
  /** Number of events that it shall have. */
  readonly wanted: number
  /** Wall clock, in ms since 1970. */
  readonly now: number
}

/**
 * The plan, extended to the number of events that is wanted; the same object where it reaches so far.
 * @throws MillraceError INVALID_OPTION when another seed is asked for than the kept one.
 */
export function extendPlan(kept: EventPlan | undefined, { seed, have, wanted, now }: PlanRequest): EventPlan {
  const plan = kept ?? { seed: seed ?? DEFAULT_SEED, segments: [] }
  if (seed !== undefined && seed !== plan.seed) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The events in this folder have the seed ${plan.seed}, and --seed is ${seed}. Leave --seed out, or take another --state.`,
    )
  }
  const last = plan.segments.at(-1)
  const from = Math.max(have, last?.to ?? 0)
  if (wanted <= from) return plan
  const start = last ? last.start + last.spanMs : now - FIRST_SPAN
  const segment = { from, to: wanted, start, spanMs: Math.max(1, now - start) }
  return { ...plan, segments: [...plan.segments, segment] }
}
