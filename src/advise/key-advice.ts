import { formatDuration } from '../model/duration.js'
import { MillraceError } from '../model/errors.js'
import { figure, percent, whole } from './figure-text.js'
import {
  fieldCandidate,
  fieldOfMessageKey,
  type KeyCandidate,
  messageKeyCandidate,
  pairable,
  pairCandidate,
} from './key-candidate.js'
import { type KeyFigures, keyFigures } from './key-figures.js'
import { type KeyScore, keyScore } from './key-score.js'
import { hotKeyWarnings, valueWarnings } from './key-warnings.js'
import type { Sample } from './sample.js'
import { sampleWindows } from './sample-windows.js'

/** A key with its figures and score. */
export interface RankedKey extends KeyFigures, KeyScore {}

export interface KeyAdviceOptions {
  /** Length of the rollups' windows, in ms. */
  readonly windowMs: number
  /** Numbers of partitions to look at. */
  readonly partitions: readonly number[]
  /** Records that an upstream task reads between two commits. */
  readonly commitRecords: number
  /** Fields that may be keys; default: all of the sample. */
  readonly keys?: readonly string[]
}

/** The keys of a topic, best first. */
export interface KeyAdvice {
  readonly events: number
  readonly undecodable: number
  /** Event times of the first and last event, in ISO 8601. */
  readonly from: string
  readonly to: string
  readonly window: string
  readonly commitRecords: number
  /** Name of the key that the data speaks for; undefined where none is of use. */
  readonly best: string | undefined
  /** Why, in a sentence or two. */
  readonly verdict: string
  readonly keys: readonly RankedKey[]
  /** The key that the records have today; undefined where they have none. */
  readonly messageKey: (RankedKey & { readonly sameAs: string | undefined }) | undefined
  readonly warnings: readonly string[]
}

/** Single fields of which pairs are made. */
const PAIRED = 5
/** A score below which a key is of no use. */
const USELESS = 5

/** Why a key is behind another: the factor that holds it back most. */
function weakness({ key, factors, eventsPerRow, rows, entropyBits, hottest, nullShare, skews }: RankedKey): string {
  const { suited: _, ...judged } = factors
  const [[least] = ['compaction']] = Object.entries(judged).sort((a, b) => a[1] - b[1])
  switch (least as keyof typeof judged) {
    case 'compaction':
      return `${key} makes a rollup of ${whole(rows)} rows, one for ${figure(eventsPerRow)} events`
    case 'resolution': {
      const first = hottest[0]
      return first === undefined
        ? `${key} has no values`
        : `${key} tells little apart (${figure(entropyBits)} bits): ${JSON.stringify(first.key)} has ${percent(first.share)}`
    }
    case 'filled':
      return `${key} is null in ${percent(nullShare)} of the events`
    default:
      return `${key} puts ${figure(Math.max(...skews.map(one => one.combinedLoad)))} times an even load on its hottest task`
  }
}

function verdictOn(ranked: readonly RankedKey[], today: KeyAdvice['messageKey']): string {
  const [best] = ranked
  if (best === undefined || best.score < USELESS) {
    return 'No key makes a useful rollup: each is nearly constant, nearly unique, or mostly null. Name others with --keys, or take a longer --window.'
  }
  const most = best.skews[best.skews.length - 1]
  const load =
    most === undefined
      ? ''
      : `, and the hottest of ${most.partitions} tasks gets ${figure(most.combinedLoad)} times an even raw load`
  const won = `Partition by ${best.key}: ${whole(best.cardinality)} values, ${whole(best.rows)} rows (one for ${figure(best.eventsPerRow)} events)${load}.`
  const other = ranked.find(one => one.key === today?.sameAs) ?? today
  if (other === undefined || other.key === best.key) return won
  return `${won} Today's key is ${today?.sameAs ?? 'of its own'}: ${weakness(other)}.`
}

/**
 * Ranks the keys that a sample could be partitioned by.
 * @throws MillraceError INVALID_OPTION when the sample holds no events.
 */
export function adviseKeys(sample: Sample, options: KeyAdviceOptions): KeyAdvice {
  if (sample.events === 0) {
    const why = sample.undecodable > 0 ? ` None of its ${whole(sample.undecodable)} records can be decoded.` : ''
    throw new MillraceError('INVALID_OPTION', `There are no events to judge keys by.${why}`)
  }
  const { windowMs, partitions, commitRecords } = options
  const cut = sampleWindows(sample, windowMs, commitRecords)
  const rank = (candidate: KeyCandidate): RankedKey => {
    const figures = keyFigures(sample, candidate, cut, partitions)
    return { ...figures, ...keyScore(figures, candidate.fields) }
  }
  const byScore = (a: RankedKey, b: RankedKey): number => b.score - a.score
  const fields = options.keys ? sample.fields.filter(({ name }) => options.keys?.includes(name)) : sample.fields
  const singles = fields.map(field => rank(fieldCandidate(sample, field))).sort(byScore)
  const paired = singles
    .filter(({ score, factors }) => score >= USELESS && factors.suited === 1)
    .slice(0, PAIRED)
    .map(({ key }) => sample.fields.find(field => field.name === key)!)
  const pairs = paired.flatMap((first, i) =>
    paired
      .slice(i + 1)
      .filter(second => pairable(sample.column(first.name), sample.column(second.name)))
      .map(second => rank(pairCandidate(sample, first, second))),
  )
  const keys = [...singles, ...pairs].sort(byScore)
  const hasKeys = sample.messageKeys.nulls < sample.events
  const messageKey = hasKeys ? { ...rank(messageKeyCandidate(sample)), sameAs: fieldOfMessageKey(sample) } : undefined
  const best = keys[0] !== undefined && keys[0].score >= USELESS ? keys[0].key : undefined
  const { from, to } = sample.span
  const today = messageKey?.sameAs
  const spoken = keys.filter(one => one.key === best || one.key === today || one.factors.suited === 1)
  const warnings = [
    ...spoken.filter(one => one.fields.length === 1).flatMap(one => hotKeyWarnings(one)),
    ...singles.flatMap(one => valueWarnings(one, sample.column(one.key)).filter(() => one.factors.suited === 1)),
    ...(messageKey && today === undefined ? hotKeyWarnings(messageKey) : []),
    ...(messageKey && messageKey.nullShare > 0 && today === undefined
      ? [`${percent(messageKey.nullShare)} of the records have no key.`]
      : []),
    ...(sample.undecodable > 0 ? [`${whole(sample.undecodable)} records could not be decoded and are left out.`] : []),
  ]
  return {
    events: sample.events,
    undecodable: sample.undecodable,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    window: formatDuration(windowMs),
    commitRecords,
    best,
    verdict: verdictOn(keys, messageKey),
    keys,
    messageKey,
    warnings,
  }
}
