import { percent, times } from './figure-text.js'
import type { KeyFigures } from './key-figures.js'
import type { SampleColumn } from './sample-column.js'

/** Share of null keys from which on they are worth a word. */
const NULLS = 0.001
/** A key is hot when it alone brings a partition to so many times the mean. */
const HOT = 2
/** … and so many times as frequent as a key would be if all were equally frequent. */
const UNEVEN = 2
/** UTF-8 bytes from which on a key is long: Redshift's VARCHAR has 256 where nobody says more. */
const LONG = 256
/** Values up to which spellings are compared. */
const SPELLINGS = 50_000

const shown = (key: string): string => JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)

/** Values that differ from another one only in case, or in spaces around them. */
function misspelt(column: SampleColumn): readonly [string, string] | undefined {
  if (!column.exact || column.values.length > SPELLINGS) return undefined
  const seen = new Map<string, string>()
  for (const value of column.values) {
    if (typeof value !== 'string') return undefined
    const plain = value.trim().toLowerCase()
    const other = seen.get(plain)
    if (other !== undefined) return [other, value]
    seen.set(plain, value)
  }
  return undefined
}

/** Sentences on hot keys, by name and with their shares. */
export function hotKeyWarnings({ key, cardinality, hottest, skews }: KeyFigures): readonly string[] {
  const most = skews.reduce<KeyFigures['skews'][number] | undefined>(
    (worst, one) => (worst === undefined || one.partitions > worst.partitions ? one : worst),
    undefined,
  )
  if (most === undefined) return []
  const hot = hottest.filter(({ share }) => share * most.partitions >= HOT && share * cardinality >= UNEVEN)
  if (hot.length === 0) return []
  const named = hot.map(one => `${shown(one.key)} ${percent(one.share)}`).join(', ')
  const combined =
    most.combinedLoad <= 1
      ? `With combining the hottest task gets ${times(most.combinedLoad)} an even raw load, so that is fine.`
      : `Also with combining the hottest task gets ${times(most.combinedLoad)} an even raw load.`
  return [
    `${key} has hot keys: ${named} of all events. Of ${most.partitions} partitions the hottest gets ${times(most.skew)} the mean. ${combined}`,
  ]
}

/** Sentences on nulls, blanks, lengths and spellings of a column. */
export function valueWarnings(figures: KeyFigures, column: SampleColumn): readonly string[] {
  const { key, nullShare, longestBytes, cardinality } = figures
  const events = column.length
  const warnings: string[] = []
  if (nullShare >= NULLS) {
    warnings.push(
      `${key} is null in ${percent(nullShare)} of the events: they have no key and are left out of its rollups.`,
    )
  }
  if (column.blanks / events >= NULLS) {
    warnings.push(`${key} is blank text in ${percent(column.blanks / events)} of the events, all of which are one key.`)
  }
  if (longestBytes > LONG) {
    warnings.push(
      `${key} has values of up to ${longestBytes} bytes. Redshift declares 256 for a text column unless told otherwise; longer rows are dead-lettered.`,
    )
  }
  if (cardinality > 1 && cardinality >= 0.9 * (events - column.nulls)) {
    warnings.push(`${key} is different in nearly every event: a rollup by it is the raw events again.`)
  }
  const pair = misspelt(column)
  if (pair)
    warnings.push(
      `${key} has values that differ in case or spaces only, such as ${shown(pair[0])} and ${shown(pair[1])}.`,
    )
  return warnings
}
