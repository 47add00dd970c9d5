import { MillraceError, messageOf } from '../../model/errors.js'
import type { Clock } from '../../ports/clock.js'
import { awsAdvice } from './aws-advice.js'
import { type Expiring, Renewed } from './expiring.js'
import type { RedshiftLogin } from './redshift-options.js'

/** What to log in to: a provisioned cluster by its identifier, or a workgroup of Redshift Serverless by its name. */
export type IamTarget = { readonly cluster: string } | { readonly workgroup: string }

interface IamOptions {
  readonly target: IamTarget
  readonly database: string
  /** Of the cluster or workgroup. Default: the SDK's, such as AWS_REGION or that of the profile. */
  readonly region?: string
  /** Address of the API; default: Amazon's in the region. */
  readonly endpoint?: string
  readonly clock: Clock
}

/** What both clients are opened with. */
interface ClientSettings {
  readonly region?: string
  readonly endpoint?: string
  readonly requestHandler: {
    readonly connectionTimeout: number
    readonly requestTimeout: number
    readonly throwOnRequestTimeout: true
  }
}

/** The longest that both services let a password live, in seconds; their default is 900. */
const LIFETIME = 3_600

const HTTP = { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true } as const

/**
 * Logs in with the AWS identity of this process, found by the SDK's default chain: the service names the database user
 * that stands for it (`IAM:user` or `IAMR:role`) and a password of an hour, which is renewed 5 minutes before its end.
 * https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentialsWithIAM.html and
 * https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html
 * The function answers what the next session logs in with; it throws MillraceError WAREHOUSE where no login can be had.
 */
export function iamLogin({ target, database, region, endpoint, clock }: IamOptions): () => Promise<RedshiftLogin> {
  const settings: ClientSettings = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    requestHandler: HTTP,
  }
  const [what, permission] =
    'cluster' in target
      ? [`the cluster "${target.cluster}"`, 'redshift:GetClusterCredentialsWithIAM']
      : [`the workgroup "${target.workgroup}"`, 'redshift-serverless:GetCredentials']
  const renewed = new Renewed(
    async () => {
      try {
        if ('cluster' in target) return await clusterLogin(target.cluster, database, settings)
        return await workgroupLogin(target.workgroup, database, settings)
      } catch (thrown) {
        const advice = awsAdvice(thrown, `${permission} on ${what}`)
        throw new MillraceError(
          'WAREHOUSE',
          `No login by IAM to ${what} of Redshift: ${messageOf(thrown).replace(/\.?$/, '.')}${advice}`,
          { cause: thrown },
        )
      }
    },
    () => clock.now(),
  )
  return () => renewed.value()
}

async function clusterLogin(
  cluster: string,
  database: string,
  settings: ClientSettings,
): Promise<Expiring<RedshiftLogin>> {
  const { GetClusterCredentialsWithIAMCommand, RedshiftClient } = await import('@aws-sdk/client-redshift')
  const client = new RedshiftClient(settings)
  try {
    const input = { ClusterIdentifier: cluster, DbName: database, DurationSeconds: LIFETIME }
    const { DbUser, DbPassword, Expiration } = await client.send(new GetClusterCredentialsWithIAMCommand(input))
    return loginOf(DbUser, DbPassword, Expiration)
  } finally {
    client.destroy()
  }
}

async function workgroupLogin(
  workgroup: string,
  database: string,
  settings: ClientSettings,
): Promise<Expiring<RedshiftLogin>> {
  const { GetCredentialsCommand, RedshiftServerlessClient } = await import('@aws-sdk/client-redshift-serverless')
  const client = new RedshiftServerlessClient(settings)
  try {
    const input = { workgroupName: workgroup, dbName: database, durationSeconds: LIFETIME }
    const { dbUser, dbPassword, expiration } = await client.send(new GetCredentialsCommand(input))
    return loginOf(dbUser, dbPassword, expiration)
  } finally {
    client.destroy()
  }
}

function loginOf(user: string | undefined, password: string | undefined, expiration?: Date): Expiring<RedshiftLogin> {
  if (user === undefined || password === undefined || expiration === undefined) {
    throw new Error('the answer lacks a user, a password or the time when they expire')
  }
  return { value: { user, password }, expiresAt: expiration.getTime() }
}
