import { RedshiftError, serializableViolation } from './redshift-error.js'
import { errorFields, type WireMessage } from './wire.js'

/** Of the catalog's trigger: `redshift_bytes_<column number>_<bytes>`. */
const BYTES = /^redshift_bytes_\d+_(\d+)$/

/** An error of PostgreSQL as Redshift says it. */
export function asRedshift(message: WireMessage): WireMessage {
  if (message.type !== 'E') return message
  const fields = errorFields(message)
  const bytes = BYTES.exec(fields.get('n') ?? '')?.[1]
  if (bytes !== undefined) {
    return new RedshiftError('22001', `value too long for type character varying(${bytes})`).response()
  }
  return fields.get('C') === '40001' ? serializableViolation().response() : message
}
