import type { FieldInput, Measure, Predicate } from './measure.js'
import type { AggregateNode, Node, WarehouseSinkNode } from './node.js'
import { tableOf, valueShape } from './shape.js'
import { rowKey, type WarehouseColumn, warehouseColumns } from './warehouse-columns.js'

/** How SQL sums a column of windows up to longer windows; a mean by two other columns of the table. */
export type Summing =
  | { readonly column: string; readonly by: 'sum' | 'min' | 'max' }
  | { readonly column: string; readonly by: 'mean'; readonly sum: string; readonly count: string }

/** A view that sums the windows of a warehouse table up to longer ones. Columns as the table names them. */
export interface CoarserView {
  readonly name: string
  /** Length of its windows in ms. */
  readonly size: number
  /** Key columns besides those of the window. */
  readonly groupBy: readonly string[]
  readonly windowStart: string
  readonly windowEnd: string
  readonly measures: readonly Summing[]
  /** Measures that no SQL can sum up from the results of shorter windows. */
  readonly leftOut: readonly string[]
}

/** The coarser views of a sink, in their order; none where its columns are unknown or it has no windows. */
export function coarserViews(node: WarehouseSinkNode): readonly CoarserView[] {
  const columns = warehouseColumns(node)
  const table = tableOf(node)
  const [windowStart, windowEnd] = columns?.filter(({ part }) => part === 'window') ?? []
  if (!node.coarser || !columns || !table || !windowStart || !windowEnd) return []
  const measures = columns.filter(({ part }) => part === 'measure')
  const summed = table.kind === 'aggregate' ? measures.map(column => summing(column, measures, table)) : []
  const found = summed.filter(one => one !== undefined)
  return Object.entries(node.coarser).map(([name, size]) => ({
    name,
    size,
    groupBy: rowKey(columns)
      .filter(({ part }) => part === 'key')
      .map(column => column.name),
    windowStart: windowStart.name,
    windowEnd: windowEnd.name,
    measures: found,
    leftOut: measures.map(column => column.name).filter(column => !found.some(one => one.column === column)),
  }))
}

function summing(
  { name: column, field }: WarehouseColumn,
  columns: readonly WarehouseColumn[],
  table: AggregateNode,
): Summing | undefined {
  const measure = table.measures[field.name] as Measure
  switch (measure.kind) {
    case 'count':
    case 'sum':
      return { column, by: 'sum' }
    case 'min':
    case 'max':
      return { column, by: measure.kind }
    case 'mean': {
      const columnOf = (wanted: (other: Measure) => boolean) =>
        columns.find(other => wanted(table.measures[other.field.name] as Measure))?.name
      const sameRecords = (other: Measure) => samePredicate(other.where, measure.where)
      const sum = columnOf(other => other.kind === 'sum' && other.input === measure.input && sameRecords(other))
      const count = neverNull(measure.input, table)
        ? columnOf(other => other.kind === 'count' && sameRecords(other))
        : undefined
      return sum !== undefined && count !== undefined ? { column, by: 'mean', sum, count } : undefined
    }
    default:
      return undefined
  }
}

/** A mean leaves nulls out and `count` does not: the two go together only for a field that is never null. */
function neverNull(input: FieldInput | undefined, table: AggregateNode): boolean {
  if (typeof input !== 'string' || mayBeNull(table)) return false
  const field = valueShape(table.inputs[0] as Node)?.find(({ name }) => name === input)
  return field?.nullable === false
}

/** Whether values may be null as a whole. */
function mayBeNull(node: Node): boolean {
  return node.kind === 'source' ? node.nullValues === 'keep' : node.inputs.some(mayBeNull)
}

function samePredicate(a: Predicate | undefined, b: Predicate | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => sameValue(a[name], b[name]))
}

function sameValue(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return Object.is(a, b)
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]))
}
