import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Log } from '../../src/ports/log.js'
import { EventTopic, eventHeader } from './event-topic.js'
import { percentile } from './figures.js'
import { Pipeline, type PipelineOptions } from './pipeline.js'
import { QuestEvents } from './quest-events.js'

const TICK_MS = 50
const LOOK_EVERY_MS = 500

export interface LiveOptions {
  /** How long events come, in seconds. */
  readonly liveSeconds: number
  /** Events a second. */
  readonly liveRate: number
  /** Freshness that the tables are declared with: a duration. */
  readonly freshness: string
}

/** How old the oldest event was that the table did not show yet, from its event time, in seconds. */
export interface TypeFreshness {
  readonly questType: string
  readonly events: number
  readonly median: number
  readonly p95: number
  readonly worst: number
}

export interface Freshness extends LiveOptions {
  /** The most frequent first. */
  readonly types: readonly TypeFreshness[]
  /** The worst of all types by seconds since the load began. */
  readonly course: readonly { readonly at: number; readonly age: number }[]
  /** Events that were produced, which all tables showed in the end. */
  readonly events: number
}

/** Event times of one quest type in order, and how many of them the table shows. */
class Shown {
  readonly times: number[] = []
  readonly ages: number[] = []

  /**
   * Age at `now` of the first event behind the first `shown` ones; 0 where all are shown. Where k events are shown, at
   * least one of the first k + 1 is not, so an event is as late as this says.
   */
  look(shown: number, now: number): number {
    const first = this.times[shown]
    const age = first === undefined ? 0 : (now - first) / 1_000
    this.ages.push(age)
    return age
  }
}

/**
 * Produces events that happen now, at a steady rate, while a worker keeps the tables, and watches how far the table of
 * five minutes is behind for each quest type.
 */
export async function live(
  options: Omit<PipelineOptions, 'source' | 'freshness'>,
  log: Log,
  client: pg.Client,
  { liveSeconds, liveRate, freshness, report }: LiveOptions & { readonly report: (line: string) => void },
): Promise<Freshness> {
  report(`Producing ${liveRate} events a second for ${liveSeconds} s, freshness ${freshness} …`)
  const source = `${options.namespace}-quest-events`
  const workload = new QuestEvents(liveSeconds * liveRate, await eventHeader(source), 11)
  const topic = await EventTopic.create(log, source)
  const pipeline = new Pipeline({ ...options, source, freshness }, client)
  const types = new Map<string, Shown>()
  const course: { at: number; age: number }[] = []
  try {
    await pipeline.untilPrepared()
    const startedAt = Date.now()
    const endsAt = startedAt + liveSeconds * 1_000
    let sent = 0
    let lookAt = startedAt
    for (;;) {
      const now = Date.now()
      const due = Math.floor(((Math.min(now, endsAt) - startedAt) / 1_000) * liveRate)
      for (; sent < due; sent++) {
        workload.next(now)
        topic.send(workload)
        const { questType } = workload.event
        const shown = types.get(questType) ?? new Shown()
        types.set(questType, shown)
        shown.times.push(now)
      }
      if (now >= lookAt) {
        pipeline.assertRunning()
        course.push({ at: (now - startedAt) / 1_000, age: await look(options.namespace, client, types) })
        lookAt = now + LOOK_EVERY_MS
      }
      if (now >= endsAt) break
      await sleep(TICK_MS)
    }
    await topic.flush()
    await pipeline.untilComplete(sent)
    await pipeline.end()
    return {
      liveSeconds,
      liveRate,
      freshness,
      course,
      events: sent,
      types: [...types]
        .sort(([, a], [, b]) => b.times.length - a.times.length)
        .map(([questType, { times, ages }]) => ({
          questType,
          events: times.length,
          median: percentile(ages, 0.5),
          p95: percentile(ages, 0.95),
          worst: Math.max(...ages),
        })),
    }
  } finally {
    await topic.close()
    await pipeline.kill()
  }
}

/** Looks at the table and answers the age of the oldest event of any type that it does not show. */
async function look(namespace: string, client: pg.Client, types: ReadonlyMap<string, Shown>): Promise<number> {
  const { rows } = await client.query(
    `SELECT quest_type, sum(events)::float8 AS events FROM ${namespace}.quest_five_minutes GROUP BY 1`,
  )
  const now = Date.now()
  const shown = new Map(rows.map(row => [row.quest_type as string, row.events as number]))
  const ages = [...types].map(([type, one]) => one.look(shown.get(type) ?? 0, now))
  return Math.max(0, ...ages)
}
