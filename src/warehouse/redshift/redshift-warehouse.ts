import { MillraceError } from '../../model/errors.js'
import type { Warehouse } from '../../ports/warehouse.js'
import type { RedshiftOptions } from './redshift-options.js'

/**
 * A warehouse in Amazon Redshift, provisioned or serverless. Nothing is connected before the first use; a lost connection
 * is replaced at the next call.
 * @throws MillraceError INVALID_OPTION when `url` is no URL of Redshift, or when there is more or less than one way to log in.
 */
export function redshiftWarehouse(options: RedshiftOptions): Warehouse {
  throw new MillraceError('INVALID_OPTION', `The Redshift warehouse ${options.region ?? ''} is not built yet.`)
}
