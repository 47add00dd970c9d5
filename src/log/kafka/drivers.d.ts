/** What the adapter uses of aws-msk-iam-sasl-signer-js 1.0, which is optional: the package builds without it. */
declare module 'aws-msk-iam-sasl-signer-js' {
  /** Signs with the credentials of AWS's default chain. `expiryTime` is in ms since 1970. */
  export function generateAuthToken(options: {
    readonly region: string
  }): Promise<{ readonly token: string; readonly expiryTime: number }>
}
