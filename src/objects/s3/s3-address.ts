import { MillraceError } from '../../model/errors.js'

/** A bucket, and the folder in it below which keys stand: empty, or with a slash at its end. */
export interface S3Address {
  readonly bucket: string
  readonly prefix: string
}

/**
 * Names of buckets as S3 allows them: 3 to 63 lower-case letters, digits, dots and hyphens.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
const BUCKET = /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/

/**
 * Reads `s3://bucket/prefix`.
 * @throws MillraceError INVALID_OPTION for anything else.
 */
export function s3Address(url: string): S3Address {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(url) ?? []
  if (!BUCKET.test(bucket) || /[?#\s\p{Cc}]/u.test(path)) {
    throw new MillraceError(
      'INVALID_OPTION',
      `"${url}" is no address in S3. It must be s3://bucket/prefix, with a bucket of 3 to 63 lower-case letters, digits, dots and hyphens, and a prefix without spaces, ? and #.`,
    )
  }
  const prefix = path.replace(/^\/+|\/+$/g, '')
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
}
