import { type Command, InvalidArgumentError } from 'commander'
import { DEFAULT_WAREHOUSE_SESSIONS } from '../runtime/warehouse-permits.js'
import type { IamTarget } from '../warehouse/redshift/iam-login.js'
import { flag, wholeNumber } from './options.js'

/** Where the warehouse is, and how to get in. */
export interface WarehouseFlags extends RedshiftFlags {
  readonly warehouse?: string
  /** Sessions that all workers together have in it. */
  readonly warehouseSessions: number
}

/** What `redshift://` takes besides its address. */
export interface RedshiftFlags {
  readonly redshiftS3?: string
  readonly redshiftCopyRole?: string
  readonly redshiftIam?: IamTarget
  readonly s3Endpoint?: string
  /** Default: that of AWS's own variables and profiles. */
  readonly awsRegion?: string
}

/** Names as AWS allows them for both. */
function iamTarget(text: string): IamTarget {
  const [, kind, name = ''] = /^(cluster|workgroup):([a-z\d](?:[a-z\d-]*[a-z\d])?)$/.exec(text) ?? []
  if (kind === 'cluster') return { cluster: name }
  if (kind === 'workgroup') return { workgroup: name }
  throw new InvalidArgumentError('It must be cluster:NAME, or workgroup:NAME of Redshift Serverless.')
}

/** How many permits there are, which is also the number of partitions of their topic. */
export function warehouseSessionsFlag() {
  return flag('--warehouse-sessions <count>', 'sessions that all workers of the topologies have in it together')
    .argParser(wholeNumber(1))
    .default(DEFAULT_WAREHOUSE_SESSIONS)
}

/** Adds the flags that say where the warehouse is. */
export function withWarehouseFlags(command: Command): Command {
  return command
    .addOption(
      flag(
        '--warehouse <address>',
        'redshift://…, postgres://… or pglite:FOLDER; on the embedded log: PGlite in --state',
      ),
    )
    .addOption(warehouseSessionsFlag())
    .addOption(flag('--redshift-s3 <address>', 's3://bucket/prefix that rows go through on their way into Redshift'))
    .addOption(
      flag('--redshift-copy-role <arn>', 'IAM role by which COPY reads there, or default; without it: AWS keys in use'),
    )
    .addOption(
      flag(
        '--redshift-iam <name>',
        'cluster:NAME or workgroup:NAME to log in to by IAM instead of a password',
      ).argParser(iamTarget),
    )
    .addOption(flag('--s3-endpoint <url>', 'another service that speaks S3, in place of Amazon'))
}
