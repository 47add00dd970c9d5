/** The table of offsets and owners, which stands in the schema of each warehouse table. */
export const OFFSETS_TABLE = 'millrace_offsets'

/** Where the rows of open windows of a split table stand. */
export function openTable(table: string): string {
  return `${table}_open`
}

/** Where the rows of closed windows of a split table stand. */
export function closedTable(table: string): string {
  return `${table}_closed`
}

/** Full name of a view that stands in the schema of a table. */
export function siblingName(table: string, view: string): string {
  return `${table.slice(0, table.lastIndexOf('.') + 1)}${view}`
}
