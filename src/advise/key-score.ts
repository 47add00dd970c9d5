import type { FieldShape } from '../topology/shape.js'
import type { KeyFigures } from './key-figures.js'

/** The factors of a score, each from 0 to 1. */
export interface KeyFactors {
  /** How much a rollup by this key shrinks the events: 1 from 100 events a row on, 0 at 1. */
  readonly compaction: number
  /** How much the key tells apart: 0 for a constant, 0.5 for one bit, 0.75 for 8 equal values. */
  readonly resolution: number
  /** 1 where the hottest task of a combined topology has no more to do than an even spread of raw events would give it. */
  readonly balance: number
  /** Share of the events that have the key. */
  readonly filled: number
  /**
   * 1 for what is grouped by; 0.9 for two fields, since questions about one of them add rows up again; 0.5 for numbers,
   * which are rather summed; 0.25 for times, which windows cover.
   */
  readonly suited: number
}

/** A key's score, from 0 to 100, and what it is the product of. */
export interface KeyScore {
  readonly score: number
  readonly factors: KeyFactors
}

/** Events a row from which on more of them are no further gain. */
const FULL_COMPACTION = 100

/** Names of numbers that stand for things: `level`, `userId`, `shard_no`. */
const NAMES_A_THING = /(id|type|kind|code|level|no|number|version|status|state|class|tier)$/i

function suitedTo(fields: readonly FieldShape[]): number {
  const each = fields.map(({ name, type }) => {
    if (type === 'timestamp') return 0.25
    if (type === 'double') return 0.5
    return (type === 'int' || type === 'long') && !NAMES_A_THING.test(name) ? 0.5 : 1
  })
  return Math.min(fields.length > 1 ? 0.9 : 1, ...each)
}

/**
 * The score of a key: `100 × compaction × resolution × balance × filled × suited`. A product, because each of them alone
 * makes a key useless at 0. docs/advise.md explains it.
 */
export function keyScore(figures: KeyFigures, fields: readonly FieldShape[]): KeyScore {
  const { eventsPerRow, entropyBits, skews, nullShare } = figures
  const hottest = Math.max(0, ...skews.map(({ combinedLoad }) => combinedLoad))
  const factors: KeyFactors = {
    compaction: eventsPerRow <= 1 ? 0 : Math.min(1, Math.log(eventsPerRow) / Math.log(FULL_COMPACTION)),
    resolution: entropyBits / (1 + entropyBits),
    balance: hottest <= 1 ? 1 : 1 / hottest,
    filled: 1 - nullShare,
    suited: suitedTo(fields),
  }
  const score = 100 * Object.values(factors).reduce((product, factor) => product * factor, 1)
  return { score, factors }
}
