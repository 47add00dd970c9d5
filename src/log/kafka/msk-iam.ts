import { MillraceError, messageOf } from '../../model/errors.js'
import type { TokenSource } from './oauth-tokens.js'

const SIGNER = 'aws-msk-iam-sasl-signer-js'

/**
 * Tokens of Amazon MSK's IAM access control: requests for `kafka-cluster:Connect`, signed with the credentials of AWS's
 * default chain (variables, shared files, the role of a container or an instance). They live for 15 minutes.
 * @throws MillraceError INVALID_OPTION where the optional package that signs them is not installed.
 */
export async function mskIamTokens({ region }: { readonly region: string }): Promise<TokenSource> {
  const signer = await import('aws-msk-iam-sasl-signer-js').catch((thrown: unknown) => {
    throw new MillraceError(
      'INVALID_OPTION',
      `Tokens of MSK IAM are made by the optional package ${SIGNER}, which cannot be loaded: ${messageOf(thrown)}. Install it beside millrace: npm install ${SIGNER}.`,
      { cause: thrown },
    )
  })
  return {
    name: `MSK IAM in ${region}`,
    async token() {
      const { token, expiryTime } = await signer.generateAuthToken({ region })
      return { value: token, expiresAt: expiryTime }
    },
  }
}
