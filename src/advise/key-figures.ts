import { DistinctCount } from './distinct-count.js'
import type { KeyCandidate } from './key-candidate.js'
import { PairSet } from './pair-set.js'
import type { Sample } from './sample.js'
import { NULL_CODE } from './sample-column.js'
import type { SampleWindows } from './sample-windows.js'

/** How evenly a key fills a number of partitions. */
export interface KeySkew {
  readonly partitions: number
  /** Events in the hottest partition ÷ the mean of all partitions. */
  readonly skew: number
  /**
   * Records that the hottest partition gets where partials are combined upstream ÷ the mean of the raw events: 1 is the
   * load of an even spread without combining.
   */
  readonly combinedLoad: number
}

/** A frequent key and its share of the events. */
export interface HotKey {
  readonly key: string
  /** From 0 to 1. */
  readonly share: number
}

/** What a sample says of one key. */
export interface KeyFigures {
  readonly key: string
  readonly fields: readonly string[]
  readonly cardinality: number
  /** Counted; otherwise estimated by HyperLogLog, with a standard error of 0.8 %. */
  readonly cardinalityExact: boolean
  /** Share of the events without a key. */
  readonly nullShare: number
  /** Shannon's entropy of the key, in bits: 3 bits are worth 8 values of equal frequency. */
  readonly entropyBits: number
  readonly skews: readonly KeySkew[]
  /** Rows of a rollup: different (key, window). */
  readonly rows: number
  readonly rowsExact: boolean
  /** Events ÷ rows. */
  readonly eventsPerRow: number
  /** Events ÷ records sent downstream where partials of a (key, window) are combined a task and commit. */
  readonly shrink: number
  readonly hottest: readonly HotKey[]
  readonly longestBytes: number
}

const HOTTEST = 5

function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b
}

/** Hottest ÷ mean of the partitions, which `total` spreads over. */
function hottestOf(loads: Float64Array, total: number): number {
  let most = 0
  for (const load of loads) if (load > most) most = load
  return ratio(most, total / loads.length)
}

/** Entropy in bits; of the values that are not among the frequent ones it is taken that they are equally frequent. */
function entropy(candidate: KeyCandidate, keyed: number): number {
  if (keyed === 0) return 0
  const known = candidate.hottest(candidate.exact ? candidate.cardinality : 1_000)
  let bits = 0
  let rest = keyed
  for (const { count } of known) {
    bits -= (count / keyed) * Math.log2(count / keyed)
    rest -= count
  }
  const others = Math.max(1, candidate.cardinality - known.length)
  return rest > 0 ? bits - (rest / keyed) * Math.log2(rest / keyed / others) : Math.max(0, bits)
}

/** What the sample says of a key, for several numbers of partitions. */
export function keyFigures(
  sample: Sample,
  candidate: KeyCandidate,
  { windows, order, commits }: SampleWindows,
  partitions: readonly number[],
): KeyFigures {
  const { codes } = candidate
  const raw = partitions.map(count => new Float64Array(count))
  const combined = partitions.map(count => new Float64Array(count))
  const rows = new DistinctCount()
  const commit = new PairSet(16_384)
  let partials = 0
  for (let c = 0; c + 1 < commits.length; c++) {
    commit.clear()
    for (let at = commits[c] as number; at < (commits[c + 1] as number); at++) {
      const event = order[at] as number
      const code = codes[event] as number
      if (code === NULL_CODE) continue
      const hash = candidate.hashOf(code)
      for (let p = 0; p < partitions.length; p++) {
        ;(raw[p] as Float64Array)[hash % (partitions[p] as number)]!++
      }
      const window = windows[event] as number
      if (!commit.add(code, window)) continue
      rows.add(code, window)
      partials++
      for (let p = 0; p < partitions.length; p++) {
        ;(combined[p] as Float64Array)[hash % (partitions[p] as number)]!++
      }
    }
  }
  const keyed = sample.events - candidate.nulls
  const rowCount = Math.min(keyed, rows.count)
  return {
    key: candidate.name,
    fields: candidate.fields.map(field => field.name),
    cardinality: candidate.cardinality,
    cardinalityExact: candidate.exact,
    nullShare: ratio(candidate.nulls, sample.events),
    entropyBits: entropy(candidate, keyed),
    skews: partitions.map((count, p) => ({
      partitions: count,
      skew: hottestOf(raw[p] as Float64Array, keyed),
      combinedLoad: hottestOf(combined[p] as Float64Array, keyed),
    })),
    rows: rowCount,
    rowsExact: rows.exact,
    eventsPerRow: ratio(keyed, rowCount),
    shrink: ratio(keyed, partials),
    hottest: candidate.hottest(HOTTEST).map(({ value, count }) => ({ key: value, share: ratio(count, sample.events) })),
    longestBytes: candidate.longestBytes,
  }
}
