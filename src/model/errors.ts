/**
 * What can go wrong, by name. A code is stable: tests, logs and dashboards may match it; the message may be reworded.
 */
export type ErrorCode =
  | 'INVALID_TOPOLOGY'
  | 'INVALID_OPTION'
  | 'INVALID_DURATION'
  | 'INVALID_SCHEMA'
  | 'UNKNOWN_SCHEMA_ID'
  | 'SCHEMA_INCOMPATIBLE'
  | 'REGISTRY'
  | 'REGISTRY_REFUSED'
  | 'UNDECODABLE'
  | 'UNENCODABLE'
  | 'INVALID_TIMESTAMP'
  | 'MISSING_KEY'
  | 'USER_CODE'
  | 'DISTINCT_LIMIT'
  | 'MISSING_TOPIC'
  | 'TOPIC_MISMATCH'
  | 'OFFSET_GONE'
  | 'PROGRESS_MISMATCH'
  | 'UNKNOWN_FORMAT'
  | 'STATE_INCOMPATIBLE'
  | 'LOG'
  | 'LOG_FENCED'
  | 'LOG_REFUSED'
  | 'LOG_IN_USE'
  | 'STORE'
  | 'STORE_IN_USE'
  | 'STORE_ENGINE'
  | 'WAREHOUSE'
  | 'WAREHOUSE_TABLE'
  | 'UNSTORABLE'
  | 'WAREHOUSE_FENCED'
  | 'OBJECT_STORE'
  | 'LOAD'
  | 'HTTP'
  | 'PROCESS'
  | 'DRAIN_TIMEOUT'

/**
 * The error class of Millrace. Its message says what happened, where, and what to do.
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The message of anything that was thrown, for embedding in another sentence. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
