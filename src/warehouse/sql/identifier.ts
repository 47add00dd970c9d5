import { MillraceError } from '../../model/errors.js'

/** PostgreSQL cuts longer identifiers short without an error, so that two columns could become one. */
const MAX_IDENTIFIER_BYTES = 63

/**
 * An identifier in quotes, whatever it holds.
 * @throws MillraceError WAREHOUSE_TABLE when PostgreSQL has no such identifier: empty, over 63 bytes, or with a NUL character.
 */
export function quoteIdentifier(name: string): string {
  const bytes = Buffer.byteLength(name)
  if (bytes === 0 || bytes > MAX_IDENTIFIER_BYTES || name.includes('\0')) {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `${JSON.stringify(name)} cannot be the name of a table or column in PostgreSQL: ` +
        `a name has 1 to ${MAX_IDENTIFIER_BYTES} bytes and no NUL character. Rename it.`,
    )
  }
  return `"${name.replaceAll('"', '""')}"`
}

/** Quoted identifiers, separated by commas. */
export function quoteList(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ')
}

/** The parts of `schema.table`; the schema is undefined where the name has none. */
export function splitTableName(name: string): { readonly schema: string | undefined; readonly table: string } {
  const dot = name.indexOf('.')
  return dot < 0 ? { schema: undefined, table: name } : { schema: name.slice(0, dot), table: name.slice(dot + 1) }
}
