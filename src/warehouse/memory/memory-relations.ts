import { MillraceError } from '../../model/errors.js'
import { closedTable, openTable, siblingName } from '../../model/relation-names.js'
import type { Row, RowKey, TableSpec } from '../../ports/warehouse.js'
import { quantileRows } from './memory-quantiles.js'
import { MemoryTable } from './memory-table.js'
import { coarserRows } from './memory-view.js'

/** Rows of a sink, in one table or in that of its open and that of its closed windows. */
export interface MemoryRows {
  /** Another one when a table is created anew. */
  readonly id: string
  upsert(row: Row, spec: TableSpec, rebuild: boolean): void
  /** Notes the last row of a window that closed. */
  close(row: Row, spec: TableSpec): void
  delete(key: RowKey, spec: TableSpec): void
  read(names: readonly string[]): Iterable<Row>
}

/** Tables and views by name, as a schema of a database holds them. */
export class MemoryRelations {
  private readonly relations = new Map<string, MemoryTable | View>()

  /**
   * Creates the tables and views of a sink, or adds the nullable columns that they lack.
   * @throws MillraceError WAREHOUSE_TABLE when a table does not fit, or something else has the name of one.
   */
  prepare(spec: TableSpec): void {
    const [view, tables] = spec.split ? [spec.name, [openTable(spec.name), closedTable(spec.name)]] : ['', [spec.name]]
    for (const name of tables) this.table(name)
    if (spec.split) this.view(view)
    for (const { name } of spec.views ?? []) this.view(siblingName(spec.name, name))
    for (const name of tables) {
      const table = this.table(name)
      if (table) table.adopt({ ...spec, name })
      else this.relations.set(name, new MemoryTable(spec))
    }
    if (spec.split) this.relations.set(view, { read: names => this.rowsOf(spec).read(names) })
    for (const one of spec.views ?? []) {
      this.relations.set(siblingName(spec.name, one.name), {
        read: names =>
          one.kind === 'coarser'
            ? coarserRows(one, spec, this.rowsOf(spec), names)
            : quantileRows(one, spec, this.rowsOf(spec), names),
      })
    }
  }

  /** @throws MillraceError WAREHOUSE_TABLE when `prepare` was not called for this table. */
  rowsOf(spec: TableSpec): MemoryRows {
    if (!spec.split) return asRows(this.table(spec.name) ?? missing(spec.name))
    const open = this.table(openTable(spec.name)) ?? missing(spec.name)
    const closed = this.table(closedTable(spec.name)) ?? missing(spec.name)
    return {
      id: `${open.id} ${closed.id}`,
      upsert(row, columns, rebuild) {
        if (rebuild) closed.deleteRow(row, columns)
        else if (closed.has(row, columns)) return
        open.upsert(row, columns)
      },
      close(row, columns) {
        open.deleteRow(row, columns)
        closed.upsert(row, columns)
      },
      delete(key, columns) {
        open.delete(key, columns)
        closed.delete(key, columns)
      },
      *read(names) {
        yield* open.read(names)
        yield* closed.read(names)
      },
    }
  }

  /** All rows of a table or view, in these columns. */
  read(name: string, names: readonly string[]): Iterable<Row> {
    return (this.relations.get(name) ?? missing(name)).read(names)
  }

  private table(name: string): MemoryTable | undefined {
    const found = this.relations.get(name)
    return found === undefined || found instanceof MemoryTable ? found : inTheWay(name, 'a view', 'a table')
  }

  private view(name: string): void {
    if (this.relations.get(name) instanceof MemoryTable) inTheWay(name, 'a table', 'a view')
  }
}

interface View {
  read(names: readonly string[]): Iterable<Row>
}

function asRows(table: MemoryTable): MemoryRows {
  return {
    id: table.id,
    upsert: (row, spec) => table.upsert(row, spec),
    close: (row, spec) => table.upsert(row, spec),
    delete: (key, spec) => table.delete(key, spec),
    read: names => table.read(names),
  }
}

function missing(name: string): never {
  throw new MillraceError(
    'WAREHOUSE_TABLE',
    `Table "${name}" does not exist in the memory warehouse. Prepare it first.`,
  )
}

function inTheWay(name: string, is: string, wanted: string): never {
  throw new MillraceError(
    'WAREHOUSE_TABLE',
    `"${name}" is ${is} in the memory warehouse, and is to be ${wanted}. Give the sink another table.`,
  )
}
