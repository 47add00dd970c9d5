import type { ErrorCode } from '../model/errors.js'

/**
 * Failures that come again at every start until somebody changes the topology, the options, the topics, permissions or
 * the warehouse: restarting would only hide them. A sink that another owner took over is among them, because a restart
 * would take it back, and two workers would take it from each other in turn. So are bad records under `onError: 'fail'`,
 * which a restart reads again.
 */
const LASTING: ReadonlySet<string> = new Set<ErrorCode>([
  'INVALID_TOPOLOGY',
  'INVALID_OPTION',
  'INVALID_DURATION',
  'INVALID_SCHEMA',
  'SCHEMA_INCOMPATIBLE',
  'LOAD',
  'LOG_REFUSED',
  'REGISTRY_REFUSED',
  'MISSING_TOPIC',
  'TOPIC_MISMATCH',
  'OFFSET_GONE',
  'PROGRESS_MISMATCH',
  'STATE_INCOMPATIBLE',
  'STORE_ENGINE',
  'UNKNOWN_FORMAT',
  'WAREHOUSE_TABLE',
  'WAREHOUSE_FENCED',
  'UNDECODABLE',
  'UNENCODABLE',
  'INVALID_TIMESTAMP',
  'MISSING_KEY',
  'USER_CODE',
  'DISTINCT_LIMIT',
])

/** Whether starting a process again may mend what ended it: an error code, or undefined for a crash or an unknown error. */
export function mendable(code: string | undefined): boolean {
  return code === undefined || !LASTING.has(code)
}
