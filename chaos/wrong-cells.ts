import type { ColumnValue } from '../src/model/column.js'
import type { Row, Warehouse } from '../src/ports/warehouse.js'
import { type RowLog, rowId } from './row-log.js'

/** How many cells (row × measure) were compared, and which were not as the log says. */
export interface Comparison {
  readonly cells: number
  readonly wrongCells: number
  /** The first few that were wrong, in words. */
  readonly examples: readonly string[]
}

const EXAMPLES = 5

/** Compares every cell of a table with the last state of its log: rows that are too many or missing are wrong in all of them. */
export async function compareCells(warehouse: Warehouse, log: RowLog): Promise<Comparison> {
  const { table } = log
  const measures = table.columns.length - table.key.length
  const found = new Map<string, Row[]>()
  for await (const row of warehouse.rows(table)) found.set(rowId(row), [...(found.get(rowId(row)) ?? []), row])
  const examples: string[] = []
  let cells = 0
  let wrongCells = 0
  for (const id of new Set([...log.keys.keys(), ...found.keys()])) {
    const expected = log.rows.get(id)
    const rows = found.get(id) ?? []
    const compared = Math.max(1, rows.length) * measures
    const wrong =
      rows.length === 1 && expected
        ? differences(rows[0] as Row, expected)
        : rows.length === 0 && !expected
          ? 0
          : compared
    cells += compared
    wrongCells += wrong
    if (wrong > 0 && examples.length < EXAMPLES) {
      examples.push(`${table.name} ${id}: ${JSON.stringify(rows)} instead of ${JSON.stringify(expected ?? 'no row')}`)
    }
  }
  return { cells, wrongCells, examples }
}

function differences(row: Row, expected: Row): number {
  return row.filter((value, index) => !equal(value, expected[index] ?? null)).length
}

function equal(a: ColumnValue, b: ColumnValue): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  return typeof a === 'bigint' || typeof b === 'bigint' ? String(a) === String(b) : Object.is(a, b)
}
