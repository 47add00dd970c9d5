import { describe, expect, it } from 'vitest'
import type { Column, ColumnType } from '../../../src/model/column.js'
import type { TableSpec } from '../../../src/ports/warehouse.js'
import { postgresViews } from '../../../src/warehouse/sql/postgres-views.js'
import { splitView, viewsOf } from '../../../src/warehouse/sql/views.js'

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true })

const table: TableSpec = {
  name: 't',
  columns: [column('k', 'text'), column('start', 'timestamp'), column('end', 'timestamp'), column('n', 'decimal')],
  key: ['k', 'start', 'end'],
  sortKey: [],
  views: [
    {
      kind: 'coarser',
      name: 'h',
      size: 3_600_000,
      groupBy: ['k'],
      windowStart: 'start',
      windowEnd: 'end',
      measures: [{ column: 'n', by: 'sum' }],
    },
  ],
}

describe('views', () => {
  it('of a split table select both parts, in the order that is asked for', () => {
    const view = splitView(postgresViews, 't', table, '"t_open"', '"t_closed"')
    expect(view.columns).toEqual(['k', 'start', 'end', 'n'])
    expect(view.select(['n', 'k'])).toBe('SELECT "n", "k" FROM "t_open" UNION ALL SELECT "n", "k" FROM "t_closed"')
  })

  it('that are coarser group by the start of the longer window, and sum in the type of the column', () => {
    const [view] = viewsOf(postgresViews, table, '"t"')
    const start = `date_bin(INTERVAL '3600000 milliseconds', "start", TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00+00')`
    expect(view?.columns).toEqual(['k', 'start', 'end', 'n'])
    expect(view?.select(['k', 'start', 'end', 'n'])).toBe(
      `SELECT "k" AS "k", ${start} AS "start", ${start} + INTERVAL '3600000 milliseconds' AS "end", ` +
        `CAST(sum("n") AS numeric(38,0)) AS "n" FROM "t" GROUP BY "k", ${start}`,
    )
  })
})
