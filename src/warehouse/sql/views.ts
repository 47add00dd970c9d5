import type { ColumnType } from '../../model/column.js'
import type { CoarserView, SummedMeasure, TableSpec } from '../../ports/warehouse.js'
import { quantileView } from './quantile-view.js'
import type { ViewDefinition, ViewDialect } from './view-dialect.js'

/** The view over the two parts of a split table; `open` and `closed` are quoted. */
export function splitView(
  dialect: ViewDialect,
  name: string,
  table: TableSpec,
  open: string,
  closed: string,
): ViewDefinition {
  return {
    name,
    columns: table.columns.map(column => column.name),
    select(columns) {
      const selected = columns.map(column => dialect.quote(column)).join(', ')
      return `SELECT ${selected} FROM ${open} UNION ALL SELECT ${selected} FROM ${closed}`
    },
  }
}

/** The views beside a table; `from` is its quoted name. */
export function viewsOf(dialect: ViewDialect, table: TableSpec, from: string): readonly ViewDefinition[] {
  return (table.views ?? []).map(view =>
    view.kind === 'coarser' ? coarserView(dialect, view, table, from) : quantileView(dialect, view, from),
  )
}

function coarserView(dialect: ViewDialect, view: CoarserView, table: TableSpec, from: string): ViewDefinition {
  const quote = (name: string) => dialect.quote(name)
  const typeOf = (name: string) => table.columns.find(column => column.name === name)?.type ?? 'double'
  const start = dialect.windowStart(quote(view.windowStart), view.size)
  const expressions = new Map([
    ...view.groupBy.map(name => [name, quote(name)] as const),
    [view.windowStart, start],
    [view.windowEnd, dialect.plus(start, view.size)],
    ...view.measures.map(measure => [measure.column, summed(dialect, measure, typeOf(measure.column))] as const),
  ])
  return {
    name: view.name,
    columns: [...expressions.keys()],
    select(columns) {
      const selected = columns.map(name => `${expressions.get(name)} AS ${quote(name)}`).join(', ')
      // By its expression: window_start alone would be the column of the table.
      return `SELECT ${selected} FROM ${from} GROUP BY ${[...view.groupBy.map(quote), start].join(', ')}`
    },
  }
}

/** As the type of the table's column: the sum of bigints would be a numeric of any precision, which Trino does not read. */
function summed(dialect: ViewDialect, measure: SummedMeasure, type: ColumnType): string {
  const sum = (name: string) => `sum(${dialect.quote(name)})`
  switch (measure.by) {
    case 'sum':
      return `CAST(${sum(measure.column)} AS ${dialect.typeName(type)})`
    case 'mean': {
      const double = dialect.typeName('double')
      return `CAST(${sum(measure.sum)} AS ${double}) / NULLIF(CAST(${sum(measure.count)} AS ${double}), 0)`
    }
    case 'min':
    case 'max':
      return dialect.extreme(measure.by, dialect.quote(measure.column), type)
    default:
      return measure satisfies never
  }
}
