import { ADVANCE, BASE, GRACE, type Scenario, SECOND_SIZE, SIZE, type SourceRecord } from './scenario.js'

/** A record in a window that accepted it. */
export interface Accepted {
  readonly lane: number
  readonly k: string
  readonly start: number
  readonly id: number
  readonly ts: number
}

export interface Expected {
  readonly accepted: readonly Accepted[]
  /** Highest timestamp of each lane. */
  readonly times: readonly number[]
  readonly accounting: {
    readonly read: number
    readonly aggregated: number
    readonly filtered: number
    readonly late: number
    readonly deadLettered: number
    readonly skipped: number
    readonly refusedWindows: number
  }
}

function startsOf(scenario: Scenario, ts: number): number[] {
  if (!scenario.hopping) return [ts - (ts % SIZE)]
  const latest = ts - (ts % ADVANCE)
  return [latest - ADVANCE, latest].filter(start => ts < start + SIZE)
}

/**
 * The rule of DESIGN section 4 on its own: a window takes a record iff end + grace > highest timestamp so far of the
 * record's own lane, the record included. Two tables (finals and updates) see the same windows.
 */
export function expectedOf(scenario: Scenario): Expected {
  const tables = 2
  const accepted: Accepted[] = []
  const counted = { read: 0, aggregated: 0, filtered: 0, late: 0, deadLettered: 0, skipped: 0, refusedWindows: 0 }
  const times = scenario.lanes.map((records, lane) => {
    let time = Number.NEGATIVE_INFINITY
    for (const record of records) {
      counted.read++
      const { id, k, ts, wanted } = record.event
      const outcome = invalid(record)
      if (outcome !== undefined) {
        counted[outcome]++
        continue
      }
      if (wanted && record.kind === 'event' && k === null) {
        counted.skipped++
        continue
      }
      time = Math.max(time, timeOf(record))
      if (record.kind === 'null') counted.skipped++
      else if (!wanted) counted.filtered++
      else {
        const starts = startsOf(scenario, ts)
        const open = starts.filter(start => start + SIZE + GRACE > time)
        counted.refusedWindows += tables * (starts.length - open.length)
        counted[open.length > 0 ? 'aggregated' : 'late']++
        for (const start of open) accepted.push({ lane, k: k as string, start, id, ts })
      }
    }
    return time
  })
  return { accepted, times, accounting: counted }
}

function invalid({ kind, event }: SourceRecord): 'deadLettered' | undefined {
  return kind === 'garbage' || (kind === 'event' && event.ts > BASE + 1e11) ? 'deadLettered' : undefined
}

/** A null value has no event time of its own, but the timestamp of the topic: it was sent with that of its event. */
function timeOf({ event }: SourceRecord): number {
  return event.ts
}

/** Rows as lines `key @start ids`, sorted. Tables on the source itself hold a row a lane. */
export function rowsOf(scenario: Scenario, accepted: readonly Accepted[]): string[] {
  const perLane = scenario.shape.startsWith('source')
  return grouped(accepted, ({ lane, k, start }) => [perLane ? lane : 0, k, start])
}

/** What stands in windows that closed without idleness: by the lowest lane, or each by its own where there is no repartition. */
export function closedOf(scenario: Scenario, { accepted, times }: Expected): readonly Accepted[] {
  const lowest = Math.min(...times)
  const time = (lane: number) => (scenario.shape.startsWith('source') ? (times[lane] as number) : lowest)
  return accepted.filter(({ lane, start }) => start + SIZE + GRACE <= time(lane))
}

/** Rows of the second stage: a first-stage row falls into the window of its highest timestamp. */
export function secondRowsOf(scenario: Scenario, accepted: readonly Accepted[]): string[] {
  const perLane = scenario.shape.startsWith('source')
  const highest = new Map<string, number>()
  const row = ({ lane, k, start }: Accepted) => `${perLane ? lane : 0} ${k} ${start}`
  for (const one of accepted) highest.set(row(one), Math.max(highest.get(row(one)) ?? 0, one.ts))
  return grouped(accepted, one => {
    const ts = highest.get(row(one)) as number
    return [0, one.k, ts - (ts % SECOND_SIZE)]
  })
}

function grouped(accepted: readonly Accepted[], groupOf: (one: Accepted) => [number, string, number]): string[] {
  const groups = new Map<string, { k: string; start: number; ids: number[] }>()
  for (const one of accepted) {
    const [lane, k, start] = groupOf(one)
    const id = `${lane} ${k} ${start}`
    const group = groups.get(id) ?? { k, start, ids: [] }
    groups.set(id, group)
    group.ids.push(one.id)
  }
  return [...groups.values()].map(({ k, start, ids }) => line(k, start, ids.sort((a, b) => a - b).join(' '))).sort()
}

/** A row as a line of text. */
export function line(k: string, start: number, ids: string): string {
  return `${k} @${start - BASE}: ${ids}`
}
