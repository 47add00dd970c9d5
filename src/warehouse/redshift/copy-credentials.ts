import { MillraceError, messageOf } from '../../model/errors.js'
import { awsAdvice } from './aws-advice.js'
import type { CopyCredentials, CopyKeys } from './redshift-options.js'

/** Roles may be chained: the last one is assumed by those before it. */
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]*[\w+=.@-]$/

/**
 * By roles that are attached to the cluster: an ARN, several separated by commas that are assumed in turn, or `default`
 * for the cluster's default role.
 * @throws MillraceError INVALID_OPTION when it is none of them.
 */
export function copyByRole(role: string): CopyCredentials {
  // A comma may stand in the name of a role, too.
  if (role !== 'default' && !role.split(/,(?=arn:)/).every(part => ROLE.test(part))) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The role of COPY is neither "default" nor an ARN such as arn:aws:iam::123456789012:role/millrace-copy: "${role}".`,
    )
  }
  return { role }
}

/**
 * By the access key of this process, found by the SDK's default chain, which renews temporary ones before they expire.
 * They go through the warehouse's connection; a role does not, which is why Amazon recommends one. `region` is for the
 * credentials of a role that is assumed; default: the SDK's, such as AWS_REGION. What asks for keys throws MillraceError
 * WAREHOUSE where there are none.
 */
export function copyByKeys({ region }: { readonly region?: string } = {}): CopyCredentials {
  let chain: Promise<KeySource> | undefined
  return async () => {
    try {
      chain ??= defaultChain(region)
      const { accessKeyId, secretAccessKey, sessionToken } = await lasting(await chain)
      return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
    } catch (thrown) {
      const advice = awsAdvice(thrown, 's3:GetObject')
      throw new MillraceError(
        'WAREHOUSE',
        `COPY has no credentials for S3: ${messageOf(thrown).replace(/\.?$/, '.')}${advice}`,
        {
          cause: thrown,
        },
      )
    }
  }
}

interface AccessKey extends CopyKeys {
  readonly expiration?: Date
}

type KeySource = (options?: { readonly forceRefresh?: boolean }) => Promise<AccessKey>

/** The chain that the SDK's clients share; the client itself asks nothing of anybody. */
async function defaultChain(region: string | undefined): Promise<KeySource> {
  const { RedshiftClient } = await import('@aws-sdk/client-redshift')
  return new RedshiftClient(region === undefined ? {} : { region }).config.credentials
}

/** Time in ms that a COPY may take. */
const LASTING = 5 * 60_000

/** The SDK hands keys out until they expire and renews them meanwhile: too late for a COPY that begins just before. */
async function lasting(chain: KeySource): Promise<AccessKey> {
  const key = await chain()
  const expiring = key.expiration !== undefined && key.expiration.getTime() - Date.now() < LASTING
  return expiring ? chain({ forceRefresh: true }) : key
}
