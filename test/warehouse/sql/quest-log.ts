import type { Row } from '../../../src/ports/warehouse.js'
import { NOW, questTable } from '../warehouse-contract.js'

/** A log whose rows follow from offsets alone, so that any number of writers can be checked: ten keys a window of 100 records. */
export const LOG_END = 2_000
export const BATCH = 20
export const TABLE = questTable('competing')

const WINDOW = 100

const typeOf = (offset: number) => `type-${(offset * 7) % 10}`
const goldOf = (offset: number) => 1 + ((offset * 31) % 9)

/** The rows that the records of `[from, to)` change, as of `to`: counts and sums from their window's start on. */
export function rowsOf(from: number, to: number): Row[] {
  const touched = new Map<string, Row>()
  const start = Math.floor(from / WINDOW) * WINDOW
  for (let offset = start; offset < to; offset++) {
    const window = Math.floor(offset / WINDOW)
    const id = `${typeOf(offset)} ${window}`
    const [, , events, gold] = touched.get(id) ?? [null, null, 0, 0]
    touched.set(id, [
      typeOf(offset),
      new Date(NOW + window * 60_000),
      Number(events) + 1,
      Number(gold) + goldOf(offset),
    ])
  }
  return [...touched.values()]
}
