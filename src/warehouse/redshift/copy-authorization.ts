import { MillraceError, messageOf } from '../../model/errors.js'
import { awsAdvice } from './aws-advice.js'

/**
 * How COPY gets at objects in S3.
 * https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
 */
export interface CopyAuthorization {
  /**
   * The clause of COPY, such as `IAM_ROLE 'arn:…'`. It may hold a secret: it belongs in no log and no message.
   * @throws MillraceError WAREHOUSE where there are no credentials.
   */
  clause(): Promise<string>
}

/** Roles may be chained: the last one is assumed by those before it. */
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]*[\w+=.@-]$/

/**
 * By roles that are attached to the cluster: an ARN, several separated by commas that are assumed in turn, or `default`
 * for the cluster's default role.
 * @throws MillraceError INVALID_OPTION when it is none of them.
 */
export function copyByRole(role: string): CopyAuthorization {
  if (role === 'default') return { clause: () => Promise.resolve('IAM_ROLE default') }
  // A comma may stand in the name of a role, too.
  if (!role.split(/,(?=arn:)/).every(part => ROLE.test(part))) {
    throw new MillraceError(
      'INVALID_OPTION',
      `The role of COPY is neither "default" nor an ARN such as arn:aws:iam::123456789012:role/millrace-copy: "${role}".`,
    )
  }
  return { clause: () => Promise.resolve(`IAM_ROLE '${role}'`) }
}

interface KeyOptions {
  /** For credentials of a role that is assumed. Default: the SDK's, such as AWS_REGION or that of the profile. */
  readonly region?: string
}

/**
 * By the access key of this process, found by the SDK's default chain, which renews temporary ones before they expire.
 * They go through the warehouse's connection; a role does not, which is why Amazon recommends one.
 */
export function copyByKeys({ region }: KeyOptions = {}): CopyAuthorization {
  let chain: Promise<() => Promise<AccessKey>> | undefined
  return {
    async clause() {
      try {
        chain ??= defaultChain(region)
        return clauseOf(await lasting(await chain))
      } catch (thrown) {
        const advice = awsAdvice(thrown, 's3:GetObject')
        throw new MillraceError('WAREHOUSE', `COPY has no credentials for S3: ${messageOf(thrown)}${advice}`, {
          cause: thrown,
        })
      }
    },
  }
}

interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
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

function clauseOf({ accessKeyId, secretAccessKey, sessionToken }: AccessKey): string {
  const token = sessionToken === undefined ? '' : ` SESSION_TOKEN '${plain(sessionToken)}'`
  return `ACCESS_KEY_ID '${plain(accessKeyId)}' SECRET_ACCESS_KEY '${plain(secretAccessKey)}'${token}`
}

/** Keys and tokens are base64 text; anything else would end the literal that they stand in. */
function plain(text: string): string {
  if (/^[\w+/=.-]+$/.test(text)) return text
  throw new Error('the AWS credentials hold characters that none of Amazon have. Check them.')
}
