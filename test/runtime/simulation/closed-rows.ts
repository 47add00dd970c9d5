import { closedTable, openTable } from '../../../src/model/relation-names.js'
import type { TableSpec, Warehouse } from '../../../src/ports/warehouse.js'
import { line } from './rule.js'

/** The rows of one part of a split table, as lines. */
export async function partOf(warehouse: Warehouse, table: TableSpec, part: 'open' | 'closed'): Promise<string[]> {
  const name = part === 'open' ? openTable(table.name) : closedTable(table.name)
  const lines: string[] = []
  for await (const [k, start, , ids] of warehouse.rows({ ...table, name, split: false, views: [] })) {
    lines.push(line(String(k), (start as Date).getTime(), String(ids)))
  }
  return lines.sort()
}

/** A warehouse that is looked at after every flush: closed rows stay as they are for ever, and no row is in both parts. */
export class ClosedRows {
  readonly warehouse: Warehouse
  /** What was wrong first. */
  fault: string | undefined
  private readonly closed = new Set<string>()

  constructor(inner: Warehouse) {
    this.warehouse = {
      ...inner,
      openSink: async identity => {
        const sink = await inner.openSink(identity)
        return {
          get nextOffset() {
            return sink.nextOffset
          },
          rebuild: sink.rebuild,
          keys: () => sink.keys(),
          close: () => sink.close(),
          flush: async flush => {
            await sink.flush(flush)
            await this.look(inner, identity.table)
          },
        }
      },
    }
  }

  private async look(inner: Warehouse, table: TableSpec): Promise<void> {
    // In this order: a row that another partition's flush moves in between is seen in neither, not in both.
    const closed = await partOf(inner, table, 'closed')
    const open = await partOf(inner, table, 'open')
    const now = new Set(closed)
    const gone = [...this.closed].filter(row => !now.has(row))
    const keys = new Set(closed.map(row => row.split(':')[0]))
    const both = open.filter(row => keys.has(row.split(':')[0]))
    for (const row of closed) this.closed.add(row)
    if (gone.length > 0) this.fault ??= `closed rows changed or left: ${gone.join('; ')}`
    if (both.length > 0) this.fault ??= `rows are open and closed: ${both.join('; ')}`
    if (now.size !== closed.length) this.fault ??= `a closed row is there twice: ${closed.join('; ')}`
  }
}
