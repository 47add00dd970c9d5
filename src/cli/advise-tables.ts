import Table from 'cli-table3'
import { figure, percent, whole } from '../advise/figure-text.js'
import type { KeyAdvice, RankedKey } from '../advise/key-advice.js'
import type { SqlAdvice } from '../advise/sql-advice.js'

const STYLE = { head: [], border: [] }

function about(count: number, exact: boolean): string {
  return `${exact ? '' : '~'}${whole(count)}`
}

function cells(key: RankedKey, name = key.key): string[] {
  const [hot] = key.hottest
  return [
    name,
    key.score.toFixed(0),
    about(key.cardinality, key.cardinalityExact),
    ...key.skews.map(({ skew, combinedLoad }) => `${figure(skew)} (${figure(combinedLoad)})`),
    about(key.rows, key.rowsExact),
    figure(key.eventsPerRow),
    figure(key.shrink),
    hot === undefined ? '' : `${hot.key.slice(0, 24)} ${percent(hot.share)}`,
    key.nullShare === 0 ? '' : percent(key.nullShare),
  ]
}

/** The ranking as a table for the terminal; the last row is the key that the records have today. */
export function keyTable(advice: KeyAdvice, source: string): string {
  const { events, from, to, window, keys, messageKey } = advice
  const table = new Table({
    head: [
      'key',
      'score',
      'values',
      ...(keys[0]?.skews ?? []).map(({ partitions }) => `skew at ${partitions}`),
      'rows',
      'events a row',
      'shrink',
      'hottest',
      'null',
    ],
    style: STYLE,
  })
  for (const key of keys) table.push(cells(key))
  if (messageKey) {
    table.push(cells(messageKey, messageKey.sameAs === undefined ? "today's key" : `today's key: ${messageKey.sameAs}`))
  }
  return [
    `${whole(events)} events of ${source}, ${from} to ${to}; windows of ${window}.`,
    table.toString(),
    'skew: hottest partition ÷ mean of the events; in brackets: load of the hottest task with combining, 1 being an even spread of raw events.',
  ].join('\n')
}

function shorter(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

/** What is proposed for logged SQL: rollups, queries without one, the topology. */
export function sqlTables(advice: SqlAdvice): readonly string[] {
  const { table, statements, onTable, unparsed, unit, cost, coverage, saving, sampled, rollups, queries, topology } =
    advice
  const costText = (value: number): string => (unit === 'ms' ? `${figure(value / 1_000)} s` : `${whole(value)} calls`)
  const parts = new Table({ head: ['table', 'rows', 'of the events', 'queries', 'saves'], style: STYLE })
  for (const { table, rows, share, answers, saving } of rollups) {
    parts.push([table, `${sampled ? '' : '~'}${whole(rows)}`, percent(share), answers.length, costText(saving)])
  }
  const rest = new Table({
    head: ['cost', 'not answered', 'why'],
    style: STYLE,
    colWidths: [12, 60, 60],
    wordWrap: true,
  })
  for (const { cost, sql, reason } of queries) {
    if (reason !== undefined) rest.push([costText(cost), shorter(sql, 160), reason])
  }
  const inexact = [...new Set(queries.flatMap(({ approximations }) => approximations))]
  return [
    `${whole(onTable)} of ${whole(statements)} different statements read ${table} (${costText(cost)}); ${whole(unparsed.length)} of them cannot be parsed.`,
    ...(rollups.length > 0 ? [parts.toString()] : ['No roll-up would save more than it costs.']),
    ...(rest.length > 0 ? [rest.toString()] : []),
    `The roll-ups answer ${percent(coverage)} of the cost and save ${percent(saving)} of it.${sampled ? '' : ' Rows are assumed from the types of the fields: pass a --topic or --file to count them.'}`,
    ...inexact.map(one => `Note: ${one}.`),
    ...(topology === undefined ? [] : [`\n${topology}`]),
  ]
}
