import { MillraceError } from '../model/errors.js'
import { s3ObjectStore } from '../objects/s3/s3-object-store.js'
import type { Warehouse } from '../ports/warehouse.js'
import { copyByKeys, copyByRole } from '../warehouse/redshift/copy-credentials.js'
import { iamLogin } from '../warehouse/redshift/iam-login.js'
import { redshiftWarehouse } from '../warehouse/redshift/redshift-warehouse.js'
import { secret } from './secrets.js'
import { systemClock } from './system-clock.js'
import type { RedshiftFlags } from './warehouse-flags.js'

/**
 * The warehouse in Amazon Redshift at `redshift://user@host:5439/database`. Connects to nothing.
 * @throws MillraceError INVALID_OPTION that names all that is missing or wrong; the address is not repeated, since it may
 * hold a password.
 */
export function openRedshift(address: string, flags: RedshiftFlags): Warehouse {
  const { redshiftS3, redshiftCopyRole, redshiftIam, s3Endpoint, awsRegion } = flags
  const url = URL.canParse(address) ? new URL(address) : undefined
  const database = decodeURIComponent(url?.pathname.slice(1) ?? '')
  const password = secret('MILLRACE_WAREHOUSE_PASSWORD')
  const region = awsRegion !== undefined && { region: awsRegion }
  const problems: string[] = []
  if (!url?.hostname || database === '') {
    problems.push('The address of --warehouse is not of the form redshift://user@host:5439/database.')
  }
  if (redshiftS3 === undefined) {
    problems.push('--redshift-s3 s3://bucket/prefix is missing: rows go through S3 on their way into Redshift.')
  }
  problems.push(...loginProblems(url, password, redshiftIam !== undefined))
  if (redshiftS3 === undefined || problems.length > 0) {
    throw new MillraceError('INVALID_OPTION', `${problems.join(' ')} docs/redshift.md shows how to set it up.`)
  }
  return redshiftWarehouse({
    url: address,
    objectStore: s3ObjectStore({
      url: redshiftS3,
      ...region,
      ...(s3Endpoint !== undefined && { endpoint: s3Endpoint }),
    }),
    copyCredentials: redshiftCopyRole === undefined ? copyByKeys({ ...region }) : copyByRole(redshiftCopyRole),
    ...region,
    ...(redshiftIam && { login: iamLogin({ target: redshiftIam, database, ...region, clock: systemClock }) }),
    ...(password !== undefined && { password }),
  })
}

/** There is to be one way to log in. */
function loginProblems(url: URL | undefined, password: string | undefined, iam: boolean): string[] {
  const given = (url?.password ?? '') !== '' || password !== undefined
  if (iam && given) return ['--redshift-iam and a password are both given. Keep one of them.']
  if (iam) return url?.username ? ['--redshift-iam finds the user itself: leave it out of the address.'] : []
  if (given && url?.username) return []
  return [
    'There is no login: put the user into the address and the password into MILLRACE_WAREHOUSE_PASSWORD, or into a file that MILLRACE_WAREHOUSE_PASSWORD_FILE names; or log in by IAM with --redshift-iam cluster:NAME or workgroup:NAME.',
  ]
}
