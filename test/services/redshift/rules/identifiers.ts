import { beyondShim, RedshiftError } from '../redshift-error.js'
import type { Statement, Token } from '../statement.js'

/** https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
const LONGEST = 127

/** PostgreSQL cuts longer names short. */
const LONGEST_OF_POSTGRES = 63

/**
 * Names are folded to lower case, in quotes too, while enable_case_sensitive_identifier is off, its default; only ASCII
 * letters are folded. A name has up to 127 bytes; the shim's PostgreSQL keeps 63 and refuses more.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_names.html,
 * https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html
 */
export function foldIdentifiers(statement: Statement): Statement {
  const edits = []
  for (const token of statement.tokens) {
    if (token.kind !== 'quoted' && token.kind !== 'word') continue
    checkLength(token)
    const folded = token.text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
    if (token.kind === 'quoted' && folded !== token.text) edits.push({ ...token, text: folded })
  }
  return statement.edited(edits)
}

function checkLength({ value }: Token): void {
  const bytes = Buffer.byteLength(value)
  if (bytes > LONGEST) {
    throw new RedshiftError('42622', `identifier "${value}" has ${bytes} bytes; the maximum is ${LONGEST} bytes`)
  }
  if (bytes > LONGEST_OF_POSTGRES) throw beyondShim(`names over ${LONGEST_OF_POSTGRES} bytes: "${value}"`)
}
