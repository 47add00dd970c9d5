import { figure, percent, whole } from './figure-text.js'
import type { KeyAdvice, RankedKey } from './key-advice.js'
import { escaped, hotChart, rowsChart, skewChart } from './report-charts.js'
import type { SqlAdvice } from './sql-advice.js'

/** What a report shows. */
export interface ReportContent {
  readonly source: string | undefined
  readonly keys: KeyAdvice | undefined
  readonly sql: SqlAdvice | undefined
}

/** Keys in a chart: more of them are read in the table. */
const CHARTED = 8
const HOT_CHARTS = 3

const STYLE = `
:root { color-scheme: light dark; --back: #fff; --text: #1a1f26; --soft: #59636e; --line: #d1d9e0; --bar: #8fb8de; --front: #14528c; }
@media (prefers-color-scheme: dark) {
  :root { --back: #11161c; --text: #e6edf3; --soft: #9aa7b4; --line: #343d47; --bar: #2f5d8a; --front: #a6d2ff; }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { margin-top: 2.5rem; font-size: 1.25rem; } p, li { max-width: 48rem; }
.soft, figcaption { color: var(--soft); } .verdict { font-size: 1.15rem; border-left: 4px solid var(--front); padding-left: 1rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.5rem 0; } svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
svg .bar { fill: var(--bar); } svg .front { fill: var(--front); } svg line { stroke: var(--soft); stroke-dasharray: 3 3; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--line); font-size: .85rem; } code { overflow-wrap: anywhere; }
`

interface Cell {
  readonly text: string
  readonly number?: boolean
  readonly code?: boolean
}

const n = (text: string): Cell => ({ text, number: true })

function table(caption: string, head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cells = (tag: string, row: readonly Cell[]) =>
    row
      .map(({ text, number, code }) => {
        const inside = code ? `<code>${escaped(text)}</code>` : escaped(text)
        return `<${tag}${tag === 'th' ? ' scope="col"' : ''}${number ? ' class="n"' : ''}>${inside}</${tag}>`
      })
      .join('')
  const body = rows.map(row => `<tr>${cells('td', row)}</tr>`).join('\n')
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(caption)}"><table><caption class="soft">${escaped(caption)}</caption><thead><tr>${cells('th', head)}</tr></thead><tbody>\n${body}\n</tbody></table></div>`
}

function figureOf(caption: string, chart: string): string {
  return `<figure>${chart}<figcaption>${escaped(caption)}</figcaption></figure>`
}

function keyRow(key: RankedKey, name = key.key): readonly Cell[] {
  const about = (count: number, exact: boolean) => n(`${exact ? '' : '~'}${whole(count)}`)
  return [
    { text: name },
    n(key.score.toFixed(0)),
    about(key.cardinality, key.cardinalityExact),
    ...key.skews.map(({ skew, combinedLoad }) => n(`${figure(skew)} (${figure(combinedLoad)})`)),
    about(key.rows, key.rowsExact),
    n(figure(key.eventsPerRow)),
    n(figure(key.shrink)),
    n(percent(key.nullShare)),
  ]
}

function keySections(keys: KeyAdvice): readonly string[] {
  const { messageKey, events } = keys
  const today = messageKey && (messageKey.sameAs ?? messageKey.key)
  const shown = keys.keys.slice(0, CHARTED)
  const also = keys.keys.find(({ key }) => key === today)
  const charted = also && !shown.includes(also) ? [...shown, also] : shown
  const skews = charted[0]?.skews ?? []
  const hot = [
    ...new Set([
      ...charted.filter(({ fields }) => fields.length === 1).slice(0, HOT_CHARTS - 1),
      ...(also ? [also] : []),
    ]),
  ]
  const hottest = Math.max(...hot.map(key => key.hottest[0]?.share ?? 0))
  const head = [
    { text: 'key' },
    n('score'),
    n('values'),
    ...skews.map(({ partitions }) => n(`skew at ${partitions}`)),
    n('rows'),
    n('events a row'),
    n('shrink'),
    n('null'),
  ]
  const rows = keys.keys.map(key => keyRow(key, key.key === today ? `${key.key} (today's key)` : key.key))
  return [
    `<p class="verdict">${escaped(keys.verdict)}</p>`,
    `<p class="soft">${whole(events)} events from ${keys.from} to ${keys.to}; windows of ${keys.window}; ${whole(keys.commitRecords)} records a commit.</p>`,
    ...(keys.warnings.length === 0
      ? []
      : ['<h2>Notes</h2>', `<ul>${keys.warnings.map(text => `<li>${escaped(text)}</li>`).join('')}</ul>`]),
    '<h2>Keys</h2>',
    table(
      'Keys, best first. Skew: hottest partition ÷ mean of the events; in brackets the load of the hottest task with combining. ~: estimated.',
      head,
      messageKey && messageKey.sameAs === undefined ? [...rows, keyRow(messageKey, "today's key")] : rows,
    ),
    '<h2>Skew</h2>',
    ...skews.map(({ partitions }) =>
      figureOf(
        `Of ${partitions} partitions: hottest ÷ mean of the events (wide bar), and the hottest task's load with combining (narrow bar). The line at 1 is an even spread.`,
        skewChart(charted, partitions),
      ),
    ),
    '<h2>Hottest keys</h2>',
    ...hot.map(key =>
      figureOf(`The most frequent values of ${key.key}, as shares of all events.`, hotChart(key, hottest)),
    ),
    '<h2>Rows</h2>',
    figureOf('Rows of a roll-up by each key in this sample, on a logarithmic scale.', rowsChart(events, charted)),
  ]
}

function sqlSections(sql: SqlAdvice): readonly string[] {
  const cost = (value: number): Cell => n(sql.unit === 'ms' ? `${figure(value / 1_000)} s` : whole(value))
  const rollups = sql.rollups.map(({ table, rows, share, answers, saving }) => [
    { text: table, code: true },
    n(whole(rows)),
    n(percent(share)),
    n(whole(answers.length)),
    cost(saving),
  ])
  const queries = sql.queries.map(one => [
    cost(one.cost),
    { text: one.sql, code: true },
    { text: one.reason ?? `${one.tables.join(', ')}${one.approximations.map(text => `; ${text}`).join('')}` },
  ])
  return [
    '<h2>Roll-ups for logged SQL</h2>',
    `<p class="verdict">${sql.rollups.length} roll-ups answer ${percent(sql.coverage)} of the cost of ${whole(sql.onTable)} statements on ${escaped(sql.table)} and save ${percent(sql.saving)} of it.</p>`,
    ...(sql.sampled
      ? []
      : ['<p class="soft">Rows are assumed from the types of the fields: no events were sampled.</p>']),
    table('Roll-ups to make', [{ text: 'table' }, n('rows'), n('of the events'), n('queries'), n('saves')], rollups),
    table(
      'Statements, the most costly first',
      [n('cost'), { text: 'statement' }, { text: 'answered by, or why not' }],
      queries,
    ),
    ...(sql.topology === undefined
      ? []
      : ['<h2>Topology to start from</h2>', `<pre><code>${escaped(sql.topology)}</code></pre>`]),
  ]
}

/** The report as one HTML page that needs nothing else: no script, no request; light or dark as the reader has it. */
export function reportHtml({ source, keys, sql }: ReportContent): string {
  const title = `Advice on ${source ?? sql?.table ?? 'events'}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${[...(keys ? keySections(keys) : []), ...(sql ? sqlSections(sql) : [])].join('\n')}
</main>
</body>
</html>
`
}
