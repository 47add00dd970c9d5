import type { S3Address } from './s3-address.js'

/** What S3 was asked to do, and where. */
export interface S3Action extends S3Address {
  /** The permission that it takes. */
  readonly permission: 's3:PutObject' | 's3:DeleteObject'
  /** The region that requests are signed for, where it is known. */
  readonly region?: string
}

/**
 * Error codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList. The others are
 * names of errors of the SDK and codes of Node.
 */
const WRONG_REGION = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'Redirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
])
const BAD_KEYS = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'UnrecognizedClientException'])
const EXPIRED = new Set(['ExpiredToken', 'TokenRefreshRequired', 'RequestTimeTooSkewed', 'ExpiredTokenException'])
const BUSY = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'ThrottlingException',
  'TooManyRequestsException',
])
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'TimeoutError',
])

/** What to check where S3 refused or did not answer; empty where the error says all. Begins with a space. */
export function s3Advice(failure: unknown, { permission, bucket, prefix, region }: S3Action): string {
  const names = namesOf(failure)
  const is = (known: ReadonlySet<string>): boolean => names.some(name => known.has(name))
  if (names.includes('AccessDenied') || names.includes('AllAccessDisabled')) {
    return ` Allow ${permission} on arn:aws:s3:::${bucket}/${prefix}* to the credentials in use, and look at the bucket's policy and key.`
  }
  if (names.includes('NoSuchBucket')) return ` Create the bucket "${bucket}", or correct its name.`
  if (is(WRONG_REGION)) {
    const right = stringOf(failure, 'Region')
    const found = right === undefined ? '' : `, which is ${right},`
    return ` Requests were signed for ${region ?? 'another region'}: set the region of the bucket${found} instead.`
  }
  if (is(EXPIRED)) return ' The credentials have expired, or the clock of this machine is wrong.'
  if (is(BAD_KEYS)) return ' Check the access key, its secret and the session token.'
  if (names.includes('CredentialsProviderError')) {
    return ' Give credentials in one of the ways of the AWS SDK: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of the pod, task or instance.'
  }
  if (messageIn(failure).includes('Region is missing')) return ' Set --aws-region or AWS_REGION.'
  if (is(BUSY)) return ' S3 is busy; it is tried again with the next flush.'
  return is(UNREACHABLE) ? ' Check the endpoint, the network and, inside a VPC, its endpoint for S3.' : ''
}

function namesOf(failure: unknown): string[] {
  return [stringOf(failure, 'name'), stringOf(failure, 'Code'), stringOf(failure, 'code')].filter(
    name => name !== undefined,
  )
}

function messageIn(failure: unknown): string {
  return stringOf(failure, 'message') ?? ''
}

function stringOf(failure: unknown, field: string): string | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined
  const value: unknown = Reflect.get(failure, field)
  return typeof value === 'string' ? value : undefined
}
