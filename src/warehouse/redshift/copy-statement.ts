import type { CopyCredentials } from './redshift-options.js'
import { quoteText } from './redshift-type.js'

/** What a COPY loads. */
export interface CopySource {
  /** `s3://…` of the manifest. */
  readonly manifest: string
  readonly nullAs: string
}

/**
 * COPY of the parts that a manifest names. It may hold secret keys: it belongs in no log and no message. Neither
 * compression nor statistics of the stage are worked out.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
 */
export async function copyStatement(
  table: string,
  { manifest, nullAs }: CopySource,
  credentials: CopyCredentials,
  region: string | undefined,
): Promise<string> {
  const options = [
    await authorization(credentials),
    ...(region === undefined ? [] : [`REGION ${quoteText(region)}`]),
    'FORMAT AS CSV GZIP MANIFEST',
    `NULL AS ${quoteText(nullAs)}`,
    `TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF`,
  ]
  return `COPY ${table} FROM ${quoteText(manifest)} ${options.join(' ')}`
}

/** https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html */
async function authorization(credentials: CopyCredentials): Promise<string> {
  if ('role' in credentials) {
    return credentials.role === 'default' ? 'IAM_ROLE default' : `IAM_ROLE ${quoteText(credentials.role)}`
  }
  const { accessKeyId, secretAccessKey, sessionToken } = await credentials()
  const token = sessionToken === undefined ? '' : ` SESSION_TOKEN ${quoteText(sessionToken)}`
  return `ACCESS_KEY_ID ${quoteText(accessKeyId)} SECRET_ACCESS_KEY ${quoteText(secretAccessKey)}${token}`
}

/** A manifest of parts without which the load fails. https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html */
export function manifestOf(urls: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify({ entries: urls.map(url => ({ url, mandatory: true })) }))
}
