import Table from 'cli-table3'
import { figure, percent, whole } from '../advise/figure-text.js'
import type { KeyAdvice, RankedKey } from '../advise/key-advice.js'

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
