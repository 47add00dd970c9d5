import type { WindowSpec } from '../topology/node.js'
import type { KeyRecord } from './key-codec.js'

/** The key of a table's row: the key columns and, for a window that ends, its start and end. */
export function rowKey(columns: KeyRecord, window: WindowSpec, start: number): KeyRecord {
  if (window.type === 'global') return columns
  return { ...columns, windowStart: new Date(start), windowEnd: new Date(start + window.size) }
}
