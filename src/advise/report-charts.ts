import { figure, percent, whole } from './figure-text.js'
import type { RankedKey } from './key-advice.js'

/** Text that is safe between tags and in attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}

/** One bar, or two of which the second lies in front. */
interface Bar {
  readonly label: string
  readonly value: number
  readonly text: string
  readonly front?: number
}

const WIDTH = 720
const LABEL = 190
const ROW = 22
/** Room for the text behind the longest bar. */
const TEXT = 150

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

/** Horizontal bars as an SVG with a title and a description, so that it is read out without being seen. */
function bars(title: string, description: string, all: readonly Bar[], mark?: number, longest = 0): string {
  const most = Math.max(mark ?? 0, longest, ...all.map(bar => bar.value), 1e-9)
  const scale = (value: number): number => Math.max(0, (value / most) * (WIDTH - LABEL - TEXT))
  const height = all.length * ROW + 8
  const id = title.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const rows = all.map((bar, i) => {
    const y = i * ROW + 4
    const front =
      bar.front === undefined
        ? ''
        : `<rect class="front" x="${LABEL}" y="${y + 5}" width="${scale(bar.front).toFixed(1)}" height="6"/>`
    return `<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${escaped(cut(bar.label, 27))}</text><rect class="bar" x="${LABEL}" y="${y}" width="${scale(bar.value).toFixed(1)}" height="16"/>${front}<text x="${(LABEL + scale(bar.value) + 6).toFixed(1)}" y="${y + 12}">${escaped(bar.text)}</text>`
  })
  const x = (LABEL + scale(mark ?? 0)).toFixed(1)
  const line = mark === undefined ? '' : `<line x1="${x}" y1="0" x2="${x}" y2="${height}"/>`
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${escaped(title)}</title><desc id="${id}-d">${escaped(description)}</desc>${line}${rows.join('')}</svg>`
}

/** Skew of keys at one number of partitions: events, and the load with combining in front. */
export function skewChart(keys: readonly RankedKey[], partitions: number): string {
  const all = keys.map(({ key, skews }): Bar => {
    const { skew, combinedLoad } = skews.find(one => one.partitions === partitions)!
    return { label: key, value: skew, front: combinedLoad, text: `${figure(skew)}, combined ${figure(combinedLoad)}` }
  })
  const described = all.map(({ label, text }) => `${label}: ${text}`).join('; ')
  return bars(`Skew at ${partitions} partitions`, described, all, 1)
}

/** Shares of the hottest values of a key; `longest` is the share of the longest bar. */
export function hotChart({ key, hottest }: RankedKey, longest: number): string {
  const all = hottest.map(one => ({ label: one.key, value: one.share, text: percent(one.share) }))
  return bars(
    `Hottest keys of ${key}`,
    all.map(({ label, text }) => `${label}: ${text}`).join('; '),
    all,
    undefined,
    longest,
  )
}

/** Rows of rollups by each key, and the raw events, by the logarithm of their number. */
export function rowsChart(events: number, keys: readonly RankedKey[]): string {
  const bar = (label: string, rows: number): Bar => ({
    label,
    value: Math.log10(Math.max(1, rows)),
    text: `${whole(rows)} (${percent(rows / events)})`,
  })
  const all = [bar('raw events', events), ...keys.map(({ key, rows }) => bar(key, rows))]
  return bars('Rows of a roll-up against raw events', all.map(({ label, text }) => `${label}: ${text}`).join('; '), all)
}
