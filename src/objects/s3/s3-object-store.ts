import type { S3Client } from '@aws-sdk/client-s3'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { ObjectStore } from '../../ports/object-store.js'
import { type S3Address, s3Address } from './s3-address.js'
import { type S3Action, s3Advice } from './s3-advice.js'

export interface S3Options {
  /** `s3://bucket/prefix`: keys stand below the prefix. */
  readonly url: string
  /** Region of the bucket. Default: the SDK's, such as AWS_REGION or that of the profile. */
  readonly region?: string
  /** Address of a service that speaks S3, with path-style addresses; default: Amazon's in the region. */
  readonly endpoint?: string
  /** Tries of a request, the first one included; the SDK waits longer before each. Default 5. */
  readonly attempts?: number
  /** Longest time of a connection attempt in ms; default 5 seconds. */
  readonly connectTimeoutMs?: number
  /** Longest time of one request in ms, its answer included; default 60 seconds. */
  readonly requestTimeoutMs?: number
}

const DEFAULTS = { attempts: 5, connectTimeoutMs: 5_000, requestTimeoutMs: 60_000 }

/** Keys that DeleteObjects takes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html. */
const MOST_DELETED = 1_000

/**
 * Objects below a prefix of a bucket in Amazon S3, or in another service that speaks its API. Credentials come from the
 * SDK's default chain. Nothing is connected before the first use.
 * @throws MillraceError INVALID_OPTION when `url` is no address in S3, or `endpoint` no URL.
 */
export function s3ObjectStore(options: S3Options): ObjectStore {
  const { endpoint } = options
  if (endpoint !== undefined && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : '')) {
    throw new MillraceError('INVALID_OPTION', `The endpoint of S3 is no URL such as https://host:port: "${endpoint}".`)
  }
  return new S3ObjectStore(s3Address(options.url), { ...DEFAULTS, ...options })
}

class S3ObjectStore implements ObjectStore {
  readonly name: string
  private opened: Promise<S3Client> | undefined
  private closed = false

  constructor(
    private readonly address: S3Address,
    private readonly options: S3Options & typeof DEFAULTS,
  ) {
    const { endpoint, region } = options
    const place = endpoint === undefined ? region && ` in ${region}` : ` at ${new URL(endpoint).origin}`
    this.name = `S3 bucket "${address.bucket}"${place ?? ''}`
  }

  url(key: string): string {
    return `s3://${this.address.bucket}/${this.address.prefix}${key}`
  }

  put(key: string, body: Buffer): Promise<void> {
    return this.perform('s3:PutObject', `write ${this.url(key)}`, async client => {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3')
      const { bucket, prefix } = this.address
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${key}`, Body: body }))
    })
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += MOST_DELETED) {
      const some = keys.slice(from, from + MOST_DELETED)
      const what = `delete ${some.length} objects such as ${this.url(some[0] as string)}`
      await this.perform('s3:DeleteObject', what, client => this.deleteSome(client, some))
    }
  }

  private async deleteSome(client: S3Client, keys: readonly string[]): Promise<void> {
    const { DeleteObjectsCommand } = await import('@aws-sdk/client-s3')
    const { bucket, prefix } = this.address
    const Objects = keys.map(key => ({ Key: `${prefix}${key}` }))
    const answer = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }))
    const [first] = answer.Errors ?? []
    if (first) throw Object.assign(new Error(`${first.Message} (${first.Key})`), { Code: first.Code })
  }

  async close(): Promise<void> {
    this.closed = true
    const client = await this.opened?.catch(() => undefined)
    client?.destroy()
  }

  private async perform(
    permission: S3Action['permission'],
    what: string,
    work: (client: S3Client) => Promise<void>,
  ): Promise<void> {
    if (this.closed) throw new MillraceError('OBJECT_STORE', `${this.name} was used after it was closed.`)
    try {
      this.opened ??= this.open()
      await work(await this.opened)
    } catch (thrown) {
      const { region } = this.options
      const advice = s3Advice(thrown, { ...this.address, permission, ...(region !== undefined && { region }) })
      const reason = messageOf(thrown).replace(/\.?$/, '.')
      throw new MillraceError('OBJECT_STORE', `${this.name}: cannot ${what}: ${named(thrown)}${reason}${advice}`, {
        cause: thrown,
      })
    }
  }

  private async open(): Promise<S3Client> {
    const { S3Client } = await import('@aws-sdk/client-s3')
    const { region, endpoint, attempts, connectTimeoutMs, requestTimeoutMs } = this.options
    return new S3Client({
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      maxAttempts: attempts,
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
      },
    })
  }
}

/** S3's codes, such as AccessDenied, are names of errors; messages may lack them. */
function named(thrown: unknown): string {
  return thrown instanceof Error && thrown.name !== 'Error' ? `${thrown.name}: ` : ''
}
