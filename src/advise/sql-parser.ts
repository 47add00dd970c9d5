import { messageOf } from '../model/errors.js'
import { isNode, type SqlNode } from './sql-ast.js'

/** Dialects that statements are parsed as, in the order in which they are tried. Trino's is Presto's too. */
export const DIALECTS = ['trino', 'redshift', 'postgresql'] as const
export type SqlDialect = (typeof DIALECTS)[number]

/** A parsed statement, or why it cannot be parsed. */
export type ParsedStatement = { readonly statements: readonly SqlNode[] } | { readonly problem: string }

/** Characters beyond which a statement is not parsed: the parser's time grows faster than its text. */
const LONGEST = 60_000

interface ParserModule {
  readonly Parser: new () => { astify(sql: string, options: { readonly database: string }): unknown }
}

async function moduleOf(dialect: SqlDialect): Promise<ParserModule> {
  switch (dialect) {
    case 'trino':
      return (await import('node-sql-parser/build/trino.js')).default
    case 'redshift':
      return (await import('node-sql-parser/build/redshift.js')).default
    case 'postgresql':
      return (await import('node-sql-parser/build/postgresql.js')).default
    default:
      return dialect satisfies never
  }
}

/** The first sentence of what a parser says: what it found, and where. */
function problemOf(thrown: unknown): string {
  const location =
    isNode(thrown) && isNode(thrown.location) && isNode(thrown.location.start) ? thrown.location.start : {}
  const found = /but (.+) found/.exec(messageOf(thrown))?.[1]
  const where = location.line === undefined ? '' : ` at line ${location.line}, column ${location.column}`
  return found === undefined ? messageOf(thrown).slice(0, 200) : `${found.slice(0, 40)} is not understood${where}`
}

/** Loads the parsers and answers a function that parses one statement, by the first dialect that can. */
export async function sqlParser(dialects: readonly SqlDialect[] = DIALECTS): Promise<(sql: string) => ParsedStatement> {
  const parsers = await Promise.all(
    dialects.map(async dialect => ({ dialect, parser: new (await moduleOf(dialect)).Parser() })),
  )
  return sql => {
    if (sql.length > LONGEST) return { problem: `it has ${sql.length} characters, more than ${LONGEST}` }
    let problem = ''
    for (const { dialect, parser } of parsers) {
      try {
        const parsed = parser.astify(sql, { database: dialect })
        return { statements: (Array.isArray(parsed) ? parsed : [parsed]).filter(isNode) }
      } catch (thrown) {
        problem ||= `${problemOf(thrown)} (${dialect})`
      }
    }
    return { problem }
  }
}
