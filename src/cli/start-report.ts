import Table from 'cli-table3'
import type { Accounting } from '../runtime/accounting.js'
import { type ComparedCell, PLAYERS_STANDARD_ERROR, type Proof } from './proof.js'

/** What one run of `millrace start` came to. */
export interface StartResult {
  readonly accounting: Accounting
  readonly proof: Proof
  /** Wall clock of the process, CPU time of the process, and its largest resident memory. */
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
}

const OUTCOMES = ['aggregated', 'filtered', 'late', 'deadLettered', 'skipped'] as const

/** Every reason why the table is not what the events say; empty where the proof holds. */
export function failuresOf({ accounting, proof }: Pick<StartResult, 'accounting' | 'proof'>): readonly string[] {
  const failures = [...proof.differences]
  const outcomes = OUTCOMES.reduce((sum, outcome) => sum + accounting[outcome], 0)
  if (accounting.read !== outcomes)
    failures.push(`${accounting.read} records were read, and ${outcomes} have an outcome.`)
  if (accounting.read !== proof.records)
    failures.push(`${accounting.read} records were read, and the log holds ${proof.records}.`)
  if (accounting.late !== proof.late)
    failures.push(`${accounting.late} records were counted as late, and by the log ${proof.late} are.`)
  if (proof.meanPlayersError > PLAYERS_STANDARD_ERROR)
    failures.push(
      `The mean error of players is ${percent(proof.meanPlayersError)}, above its standard error of ${percent(PLAYERS_STANDARD_ERROR)}.`,
    )
  return failures
}

/** The one line of `--json`. */
export function jsonLine({ accounting, proof, seconds, cpuSeconds, peakRssMb }: StartResult): string {
  const { read, aggregated, filtered, late, deadLettered, skipped } = accounting
  const { cells, wrongCells, missingCells, extraCells } = proof
  return JSON.stringify({
    read,
    aggregated,
    filtered,
    late,
    deadLettered,
    skipped,
    cells,
    wrongCells,
    missingCells,
    extraCells,
    rawRows: proof.records,
    rollupRows: proof.rows,
    seconds: rounded(seconds),
    cpuSeconds: rounded(cpuSeconds),
    peakRssMb: Math.round(peakRssMb),
  })
}

/** A table of rows and the proof, for people. */
export function reportText(result: StartResult): string {
  const { accounting, proof } = result
  const failures = failuresOf(result)
  const outcomes = [
    `aggregated ${number(accounting.aggregated)}`,
    `filtered ${number(accounting.filtered)}`,
    `late ${number(accounting.late)}`,
    `dead-lettered ${number(accounting.deadLettered)}`,
    `skipped ${number(accounting.skipped)}`,
  ]
  const times = proof.rows === 0 ? '' : `: ${number(Math.round(proof.records / proof.rows))} times fewer`
  return [
    `The largest rows of quest_minute (${number(proof.rows)} in all):`,
    rowsTable(proof.largest),
    `Proof: all ${number(proof.records)} events in the log were read again and added up by other code.`,
    `  ${number(proof.cells)} cells compared: ${proof.wrongCells} wrong, ${proof.missingCells} missing, ${proof.extraCells} extra.`,
    `  Players are estimates: mean error ${percent(proof.meanPlayersError)}, largest ${percent(proof.worstPlayersError)} (standard error ${percent(PLAYERS_STANDARD_ERROR)}).`,
    `  Read ${number(accounting.read)} = ${outcomes.join(' + ')}.`,
    `A query over all of it reads ${number(proof.records)} raw events, or ${number(proof.rows)} rows rolled up${times}.`,
    `${rounded(result.seconds)} s, ${rounded(result.cpuSeconds)} s of CPU, ${Math.round(result.peakRssMb)} MB of memory at the most.`,
    ...(failures.length === 0
      ? ['The proof holds: every row is what its events say.']
      : ['The proof fails:', ...failures.map(failure => `  ${failure}`)]),
  ].join('\n')
}

function rowsTable(cells: readonly ComparedCell[]): string {
  const table = new Table({
    head: ['quest_type', 'window_start', 'events', 'completions', 'gold', 'slowest_ms', 'players', 'exact players'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { row, players } of cells) {
    const start = row.window_start instanceof Date ? row.window_start.toISOString().slice(0, 16) : ''
    const measures = [row.events, row.completions, row.gold, row.slowest_ms, row.players, players]
    table.push([String(row.quest_type), `${start}Z`, ...measures.map(value => number(Number(value)))])
  }
  return table.toString()
}

const NUMBER = new Intl.NumberFormat('en-US')

function number(value: number): string {
  return NUMBER.format(value)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
