/**
 * What to check where a call to AWS failed; empty where the error says all. `permission` is what to allow where it was
 * denied. Begins with a space. Names of errors: https://docs.aws.amazon.com/redshift/latest/APIReference/CommonErrors.html.
 */
export function awsAdvice(failure: unknown, permission: string): string {
  const name = failure instanceof Error ? failure.name : ''
  const message = failure instanceof Error ? failure.message : ''
  switch (name) {
    case 'AccessDenied':
    case 'AccessDeniedException':
    case 'UnauthorizedOperation':
      return ` Allow ${permission} to the credentials in use.`
    case 'ClusterNotFound':
    case 'ClusterNotFoundFault':
    case 'ResourceNotFoundException':
      return ' Check its name and the region.'
    case 'CredentialsProviderError':
      return ' Give credentials in one of the ways of the AWS SDK: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of the pod, task or instance.'
    case 'ExpiredToken':
    case 'ExpiredTokenException':
      return ' The AWS credentials have expired, or the clock of this machine is wrong.'
    case 'InvalidClientTokenId':
    case 'UnrecognizedClientException':
    case 'SignatureDoesNotMatch':
      return ' Check the access key, its secret and the session token.'
    default:
  }
  if (message.includes('Region is missing')) return ' Set --aws-region or AWS_REGION.'
  const unreachable = /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH)\b/.test(message)
  if (unreachable || name === 'TimeoutError') {
    return ' Check the network: inside a VPC without a way out it takes an interface endpoint for Redshift.'
  }
  return ''
}
