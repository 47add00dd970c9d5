import type { Column } from '../model/column.js'
import { closedTable, openTable, siblingName } from '../model/relation-names.js'
import type { TableSpec, ViewSpec } from '../ports/warehouse.js'

/** What the rows of a sink can be read from, as tables: its own, the two parts of a split one, and its views. */
export function readableTables(table: TableSpec): readonly TableSpec[] {
  const plain = (name: string): TableSpec => ({ ...table, name, split: false, views: [] })
  const parts = table.split ? [openTable(table.name), closedTable(table.name)].map(plain) : []
  const views = (table.views ?? []).map(view => ({
    ...plain(siblingName(table.name, view.name)),
    ...shapeOf(view, table),
  }))
  return [table, ...parts, ...views]
}

function shapeOf(view: ViewSpec, { columns }: TableSpec): Pick<TableSpec, 'columns' | 'key' | 'sortKey'> {
  const [key, others] =
    view.kind === 'coarser'
      ? [[...view.groupBy, view.windowStart, view.windowEnd], view.measures.map(({ column }) => column)]
      : [view.groupBy, [view.count]]
  const known = columns.filter(({ name }) => key.includes(name) || others.includes(name))
  const quantiles = view.kind === 'quantiles' ? view.quantiles : []
  const added = quantiles.map(({ column }): Column => ({ name: column, type: 'double', nullable: false }))
  return { columns: [...known, ...added], key, sortKey: [] }
}
