import type { Log } from '../ports/log.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import { produceEvents, QUEST_TOPIC } from './produce.js'
import { extendPlan, readPlan, writePlan } from './start-plan.js'
import { systemClock } from './system-clock.js'
import { recordsInTopic } from './target-topic.js'

export interface ProductionOptions {
  /** Events that the log is to hold in all; default 200,000, or without limit where `for` is given. */
  readonly events?: number
  /** How long to produce, in ms. */
  readonly for?: number
  /** Default: the one kept in the plan, else 42. */
  readonly seed?: number
  /** Events a second; default: as fast as they are processed. */
  readonly rate?: number
}

export interface ProductionPorts {
  readonly log: Log
  readonly registry: SchemaRegistry
  /** Where the plan is kept. */
  readonly planFile: string
  /** Events that wait to be processed. */
  readonly lag: () => Promise<number>
  readonly signal: AbortSignal
}

const DEFAULT_EVENTS = 200_000

/** Where only a time is given, events spread over 6 hours as if they came this fast, a second: faster than they are made. */
const PLANNED_RATE = 40_000

/** Events that may wait to be processed before the next ones are made. */
const LAG_AT_MOST = 30_000

const LAG_POLL_MS = 5

/**
 * Brings the topic to the number of events that is asked for, or produces for a while. What is there counts, so a killed
 * production goes on where it stopped.
 * @throws MillraceError INVALID_OPTION when another seed is asked for than the kept one; LogError
 */
export async function produceDemo(options: ProductionOptions, ports: ProductionPorts): Promise<void> {
  const { log, registry, planFile, lag, signal } = ports
  const have = await recordsInTopic(log, QUEST_TOPIC)
  const planned = options.for === undefined ? DEFAULT_EVENTS : have + plannedFor(options.for, options.rate)
  const wanted = options.events ?? planned
  const kept = readPlan(planFile)
  const plan = extendPlan(kept, { seed: options.seed, have, wanted, now: systemClock.now() })
  if (plan !== kept) writePlan(planFile, plan)
  const ends = options.for === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(options.for)])
  const behind = async (): Promise<void> => {
    while (!ends.aborted && (await lag()) > LAG_AT_MOST) await systemClock.sleep(LAG_POLL_MS)
  }
  for (const { from, to, start, spanMs } of plan.segments) {
    const total = to - from
    await produceEvents(
      {
        seed: plan.seed,
        // The generator counts its time from event 0.
        start: start - Math.floor((from * spanMs) / total),
        spanMs,
        total,
        from: Math.max(from, have),
        to: Math.min(to, wanted),
        signal: ends,
        onProgress: behind,
        ...(options.rate !== undefined && { rate: options.rate }),
      },
      { log, registry, clock: systemClock },
    )
  }
}

function plannedFor(milliseconds: number, rate = PLANNED_RATE): number {
  return Math.max(1, Math.ceil((milliseconds / 1_000) * rate))
}
