import { DistinctCount } from './distinct-count.js'
import { type EventColumns, symbolsOf } from './event-columns.js'
import type { Sample } from './sample.js'
import { NULL_CODE } from './sample-column.js'
import { DAY } from './time-grain.js'

/** How many rows a rollup has. */
export interface RowEstimate {
  readonly rows: number
  /** Rows ÷ events, from 0 to 1. */
  readonly share: number
}

/** Estimates the rows of a rollup by these fields and windows of `grain` ms. */
export interface RowEstimates {
  /** Counted in a sample; otherwise assumed from the types of the fields. */
  readonly sampled: boolean
  readonly events: number
  estimate(dimensions: readonly string[], grain: number): RowEstimate
}

/** Estimates by counting in a sample. */
export function sampledRows(sample: Sample): RowEstimates {
  const known = new Map<string, RowEstimate>()
  return {
    sampled: true,
    events: sample.events,
    estimate(dimensions, grain) {
      const id = [...dimensions, grain].join(' ')
      const before = known.get(id)
      if (before) return before
      const columns = dimensions.map(name => sample.column(name))
      const first = Math.floor(sample.span.from / grain)
      const count = new DistinctCount()
      for (let i = 0; i < sample.events; i++) {
        let code = NULL_CODE
        // Several codes become one by hashing: of a million rows, about a hundred fall together.
        for (const column of columns) code = Math.imul(code ^ (code >>> 15), 0x2c1b3c6d) + (column.codes[i] as number)
        count.add(code | 0, Math.floor((sample.times[i] as number) / grain) - first)
      }
      const rows = Math.min(count.count, sample.events)
      const estimate = { rows, share: rows / sample.events }
      known.set(id, estimate)
      return estimate
    },
  }
}

/** Events a day that are assumed where there is no sample. */
const ASSUMED_EVENTS = 10_000_000
/** Values that are assumed of text and numbers, and of what is named an id. */
const ASSUMED_VALUES = 100
const ASSUMED_IDS = 100_000

/** Estimates from the fields' types: an enum has its symbols, a flag two values, an id 100,000, anything else 100; 10 million events a day. */
export function assumedRows(events: EventColumns): RowEstimates {
  const values = (name: string): number => {
    const field = events.named(name)
    if (field === undefined) return ASSUMED_VALUES
    if (field.type === 'bool') return 2
    return symbolsOf(field)?.length ?? (/(id|uuid|key)$/i.test(name) ? ASSUMED_IDS : ASSUMED_VALUES)
  }
  return {
    sampled: false,
    events: ASSUMED_EVENTS,
    estimate(dimensions, grain) {
      const windows = Math.max(1, DAY / grain)
      const rows = Math.min(
        ASSUMED_EVENTS,
        dimensions.reduce((product, name) => product * values(name), windows),
      )
      return { rows, share: rows / ASSUMED_EVENTS }
    },
  }
}
