/** Values as text, null for NULL. */
export type TextRow = readonly (string | null)[]

/** What a statement answered. */
export interface SqlResult {
  readonly rows: readonly TextRow[]
  /** Rows that a statement inserted, updated or deleted. */
  readonly affected: number
}

/** One session of a database that speaks PostgreSQL's protocol, used by one caller at a time. */
export interface SqlSession {
  /** Runs one statement; parameters have the type text. Selected columns must be text. */
  query(sql: string, parameters?: TextRow): Promise<SqlResult>
  /** COPY into a table, where the database has it. */
  readonly copy?: (table: string, rows: Iterable<TextRow>) => Promise<void>
}

/** SQLSTATE of an error that the server itself reported; undefined for errors of the connection. */
export function sqlState(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('severity' in thrown) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/**
 * True when an error says nothing about the statement's outcome: the connection broke, or the server ended the session
 * (SQLSTATE class 08, 57P01 to 57P05, 25P03).
 */
export function isConnectionLoss(thrown: unknown): boolean {
  const state = sqlState(thrown)
  return state === undefined || state.startsWith('08') || state.startsWith('57P') || state === '25P03'
}
