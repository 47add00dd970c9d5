/** What became of the records that a source task read. Each has exactly one outcome (DESIGN section 4). */
export interface Accounting {
  /** The sum of the five outcomes. */
  read: number
  /** It reached a window of an aggregate, or an output, in any branch. */
  aggregated: number
  /** No branch wanted it. */
  filtered: number
  /** Every window that it could have reached refused it. */
  late: number
  /** It went to the dead-letter topic. */
  deadLettered: number
  /** Its key or value is null where one is needed, or it failed under `onError: 'skip'`. */
  skipped: number
  /** Windows that refused a record as late; one record may be refused by several. */
  refusedWindows: number
}

export type Outcome = 'aggregated' | 'filtered' | 'late' | 'deadLettered' | 'skipped'

/** Counters at zero. */
export function noAccounting(): Accounting {
  return { read: 0, aggregated: 0, filtered: 0, late: 0, deadLettered: 0, skipped: 0, refusedWindows: 0 }
}

/** Adds counters of one task to a total. */
export function addAccounting(total: Accounting, part: Readonly<Accounting>): void {
  for (const name of Object.keys(part) as (keyof Accounting)[]) total[name] += part[name]
}
