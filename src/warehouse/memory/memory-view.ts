import type { Column, ColumnValue } from '../../model/column.js'
import type { CoarserView, Row, SummedMeasure, TableSpec } from '../../ports/warehouse.js'
import { keyIdentity } from '../row/row-key.js'

type Values = ReadonlyMap<string, ColumnValue>

/** The rows of a coarser view over the rows of its table, in these columns. */
export function* coarserRows(
  view: CoarserView,
  table: TableSpec,
  rows: { read(names: readonly string[]): Iterable<Row> },
  names: readonly string[],
): Iterable<Row> {
  const columns = table.columns.map(({ name }) => name)
  const groupBy = table.columns.filter(({ name }) => view.groupBy.includes(name))
  const groups = new Map<string, { readonly start: number; readonly rows: Values[] }>()
  for (const row of rows.read(columns)) {
    const values: Values = new Map(columns.map((name, index) => [name, row[index] ?? null]))
    const time = (values.get(view.windowStart) as Date).getTime()
    const start = time - (((time % view.size) + view.size) % view.size)
    const key = groupBy.map(({ name }) => values.get(name) as ColumnValue)
    const id = `${start} ${keyIdentity(key, groupBy)}`
    const group = groups.get(id) ?? { start, rows: [] }
    groups.set(id, group)
    group.rows.push(values)
  }
  for (const { start, rows: grouped } of groups.values()) {
    const result = new Map<string, ColumnValue>([
      ...groupBy.map(({ name }) => [name, grouped[0]?.get(name) ?? null] as const),
      [view.windowStart, new Date(start)],
      [view.windowEnd, new Date(start + view.size)],
      ...view.measures.map(measure => [measure.column, summed(measure, grouped, table.columns)] as const),
    ])
    yield names.map(name => result.get(name) ?? null)
  }
}

function summed(measure: SummedMeasure, rows: readonly Values[], columns: readonly Column[]): ColumnValue {
  if (measure.by === 'mean') {
    const [sum, count] = [measure.sum, measure.count].map(name => Number(total(name, rows, columns)))
    return count === 0 || count === undefined || sum === undefined ? null : sum / count
  }
  if (measure.by === 'sum') return total(measure.column, rows, columns)
  const values = rows.map(row => row.get(measure.column) ?? null).filter(value => value !== null)
  const sign = measure.by === 'min' ? 1 : -1
  return values.reduce<ColumnValue>((a, b) => (a === null || compare(b, a) * sign < 0 ? b : a), null)
}

/** Exact for whole numbers; NULLs are left out, and of nothing else comes NULL. */
function total(name: string, rows: readonly Values[], columns: readonly Column[]): ColumnValue {
  const values = rows.map(row => row.get(name) ?? null).filter(value => value !== null)
  if (values.length === 0) return null
  if (columns.find(column => column.name === name)?.type === 'double') {
    return values.reduce((a: number, b) => a + Number(b), 0)
  }
  const exact = values.reduce((a: bigint, b) => a + BigInt(b as number | bigint), 0n)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

/** NaN is above all other numbers, and text is in the order of its UTF-8 bytes, as in PostgreSQL. */
function compare(a: NonNullable<ColumnValue>, b: NonNullable<ColumnValue>): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}
