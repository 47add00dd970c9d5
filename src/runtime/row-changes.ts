import type { Flush, Row, RowKey } from '../ports/warehouse.js'
import type { PendingRows } from './pending-rows.js'
import { isClosedRow } from './rows-program.js'
import type { RowsProgram } from './sub-topology-program.js'

/** What rows that wait change in the warehouse: those of open and of closed windows, and keys that are gone. */
export function rowChanges(
  { byId }: PendingRows,
  program: Pick<RowsProgram, 'row' | 'rowKey'>,
): Required<Pick<Flush, 'upserts' | 'closed' | 'deletes'>> {
  const upserts: Row[] = []
  const closed: Row[] = []
  const deletes: RowKey[] = []
  for (const { key, value } of byId.values()) {
    if (value === null) deletes.push(program.rowKey(key))
    else (isClosedRow(value) ? closed : upserts).push(program.row(key, value))
  }
  return { upserts, closed, deletes }
}
