import type { AvroSchema } from '../model/avro-schema.js'
import type { ColumnValue } from '../model/column.js'
import type { Log } from '../ports/log.js'
import { type RawEvent, rawEvents } from './proof-events.js'

/** A row of the table `quest_minute`, by its columns' names. */
export type TableRow = Readonly<Record<string, ColumnValue>>

/** What the rows of `quest_minute` have to be for one quest type and minute, counted from the raw events. */
export interface Cell {
  readonly questType: string
  /** Ms since 1970. */
  readonly windowStart: number
  events: number
  completions: number
  gold: number
  slowestMs: number
  readonly players: Set<string>
}

/** A cell beside the row that was found for it. */
export interface ComparedCell {
  readonly row: TableRow
  /** Exact number of different players. */
  readonly players: number
}

export interface Proof {
  /** Records in the log. */
  readonly records: number
  /** Records that came after their minute was over for their partition. */
  readonly late: number
  readonly cells: number
  /** Cells whose row says something else. */
  readonly wrongCells: number
  /** Cells without a row. */
  readonly missingCells: number
  /** Rows without a cell. */
  readonly extraCells: number
  /** Rows of the table. */
  readonly rows: number
  /** Mean of the relative errors of `players`, signs left out; 0 without cells. */
  readonly meanPlayersError: number
  /** The largest one. */
  readonly worstPlayersError: number
  /** The cells with the most events. */
  readonly largest: readonly ComparedCell[]
  /** The first differences, each as a sentence. */
  readonly differences: readonly string[]
}

/** Relative standard error of `players`, as topologies/quest-minute.ts asks for it. */
export const PLAYERS_STANDARD_ERROR = 0.023

const WINDOW_MS = 60_000
const GRACE_MS = 30_000
const LARGEST = 10
const DIFFERENCES = 10

/**
 * Recomputes the table `quest_minute` from the raw events of a log and compares it cell by cell. It shares no code with
 * topology, windows and aggregates, and holds the rows of the table and a few minutes of events.
 *
 * Counts, sums and maxima have to be equal; `players` has to be within 2 or five standard errors of the exact number.
 */
export async function prove(
  log: Log,
  topic: string,
  schema: AvroSchema,
  rows: AsyncIterable<TableRow>,
): Promise<Proof> {
  const comparison = new Comparison()
  for await (const row of rows) comparison.addRow(row)
  const open = new Map<number, Map<string, Cell>>()
  let late = 0
  const records = await rawEvents(log, topic, schema, {
    event(event, laneTime) {
      const windowStart = Math.floor(event.occurredAt / WINDOW_MS) * WINDOW_MS
      if (windowStart + WINDOW_MS + GRACE_MS <= laneTime) late++
      else add(cellOf(open, windowStart, event.questType), event)
    },
    reached(time) {
      for (const [windowStart, cells] of open) {
        if (windowStart + WINDOW_MS + GRACE_MS > time) continue
        for (const cell of cells.values()) comparison.compare(cell)
        open.delete(windowStart)
      }
    },
  })
  return { records, late, ...comparison.result() }
}

function cellOf(open: Map<number, Map<string, Cell>>, windowStart: number, questType: string): Cell {
  let cells = open.get(windowStart)
  if (cells === undefined) {
    cells = new Map()
    open.set(windowStart, cells)
  }
  let cell = cells.get(questType)
  if (cell === undefined) {
    cell = { questType, windowStart, events: 0, completions: 0, gold: 0, slowestMs: 0, players: new Set() }
    cells.set(questType, cell)
  }
  return cell
}

function add(cell: Cell, event: RawEvent): void {
  cell.events++
  if (event.eventType === 'COMPLETED') cell.completions++
  cell.gold += event.rewardGold
  if (cell.events === 1 || event.durationMs > cell.slowestMs) cell.slowestMs = event.durationMs
  cell.players.add(event.userId)
}

/** Rows and cells, held side by side. */
class Comparison {
  private readonly rows = new Map<string, TableRow>()
  private count = 0
  private cells = 0
  private wrong = 0
  private missing = 0
  private twice = 0
  private errors = 0
  private worst = 0
  private largest: ComparedCell[] = []
  private readonly differences: string[] = []

  addRow(row: TableRow): void {
    this.count++
    const id = idOf(String(row.quest_type), Number(row.window_start))
    if (this.rows.has(id)) {
      this.twice++
      this.differ(`The table has two rows for ${id}.`)
    } else this.rows.set(id, row)
  }

  compare(cell: Cell): void {
    this.cells++
    const id = idOf(cell.questType, cell.windowStart)
    const row = this.rows.get(id)
    if (row === undefined) {
      this.missing++
      this.differ(`The table has no row for ${id}, which has ${cell.events} events.`)
      return
    }
    this.rows.delete(id)
    const wrong = differenceOf(cell, row)
    if (wrong !== undefined) {
      this.wrong++
      this.differ(`The row for ${id} says ${wrong}.`)
    }
    const error = Math.abs(Number(row.players) - cell.players.size) / cell.players.size
    this.errors += error
    this.worst = Math.max(this.worst, error)
    this.rank(cell, row)
  }

  private rank(cell: Cell, row: TableRow): void {
    const last = this.largest[LARGEST - 1]
    if (last && Number(last.row.events) >= cell.events) return
    this.largest.push({ row, players: cell.players.size })
    this.largest.sort((a, b) => Number(b.row.events) - Number(a.row.events))
    this.largest = this.largest.slice(0, LARGEST)
  }

  private differ(sentence: string): void {
    if (this.differences.length < DIFFERENCES) this.differences.push(sentence)
  }

  result(): Omit<Proof, 'records' | 'late'> {
    for (const id of this.rows.keys()) this.differ(`The table has a row for ${id}, for which there are no events.`)
    return {
      cells: this.cells,
      wrongCells: this.wrong,
      missingCells: this.missing,
      extraCells: this.rows.size + this.twice,
      rows: this.count,
      meanPlayersError: this.cells === this.missing ? 0 : this.errors / (this.cells - this.missing),
      worstPlayersError: this.worst,
      largest: this.largest,
      differences: this.differences,
    }
  }
}

function idOf(questType: string, windowStart: number): string {
  const time = Number.isFinite(windowStart) ? new Date(windowStart).toISOString() : String(windowStart)
  return `"${questType}" at ${time}`
}

/** What the row says, and what the events say; undefined where they agree. */
function differenceOf(cell: Cell, row: TableRow): string | undefined {
  const exact = {
    window_end: cell.windowStart + WINDOW_MS,
    events: cell.events,
    completions: cell.completions,
    gold: cell.gold,
    slowest_ms: cell.slowestMs,
  }
  for (const [column, expected] of Object.entries(exact)) {
    const found = row[column] instanceof Date ? row[column].getTime() : row[column]
    if (String(found) !== String(expected)) return `${column} ${String(found)}, and its events say ${expected}`
  }
  const players = cell.players.size
  const tolerance = Math.max(2, 5 * PLAYERS_STANDARD_ERROR * players)
  if (Math.abs(Number(row.players) - players) <= tolerance) return undefined
  return `players ${String(row.players)}, and its events say ${players}, which is further than ${tolerance.toFixed(1)} apart`
}
