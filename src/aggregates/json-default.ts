import { MillraceError } from '../model/errors.js'

/**
 * A value as Avro's JSON default: itself, with each Buffer as text of one character a byte.
 * @throws MillraceError INVALID_TOPOLOGY when JSON cannot hold it.
 */
export function jsonDefault(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (Array.isArray(value)) return value.map(jsonDefault)
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, jsonDefault(member)]))
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return value
  throw new MillraceError(
    'INVALID_TOPOLOGY',
    `The zero of an aggregator holds ${describe(value)}, which JSON cannot hold, but it stands as default in the schema of stored ` +
      'state. Use null, true, false, finite numbers, text, Buffers, lists and plain objects.',
  )
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? `a ${value.constructor?.name ?? 'object'}`
    : `the ${typeof value} ${String(value)}`
}
