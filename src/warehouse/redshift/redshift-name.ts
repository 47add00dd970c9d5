import { MillraceError } from '../../model/errors.js'

/** https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
const MAX_IDENTIFIER_BYTES = 127

/**
 * A name as Redshift's catalog spells it: ASCII letters in lower case. That is what Redshift makes of names in quotes, too,
 * unless a session sets enable_case_sensitive_identifier; so every session finds the tables, whatever it sets.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html
 */
export function catalogName(name: string): string {
  return name.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}

/**
 * A name in quotes, whatever it holds.
 * @throws MillraceError WAREHOUSE_TABLE when Redshift has no such name: empty, over 127 bytes, or with a NUL character.
 */
export function quoteName(name: string): string {
  const bytes = Buffer.byteLength(name)
  if (bytes === 0 || bytes > MAX_IDENTIFIER_BYTES || name.includes('\0')) {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `${JSON.stringify(name)} cannot be the name of a table or column in Redshift: ` +
        `a name has 1 to ${MAX_IDENTIFIER_BYTES} bytes and no NUL character. Rename it.`,
    )
  }
  return `"${catalogName(name).replaceAll('"', '""')}"`
}

/** Names in quotes, separated by commas. */
export function quoteNames(names: readonly string[]): string {
  return names.map(quoteName).join(', ')
}
