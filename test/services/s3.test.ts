import { Readable } from 'node:stream'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type S3Service, startS3 } from './s3.js'

let s3: S3Service
let client: S3Client
const at = { Bucket: 'load' }

beforeAll(async () => {
  s3 = await startS3({ buckets: ['load', 'empty'], region: 'eu-central-1' })
  client = clientOf('eu-central-1')
})

afterAll(async () => {
  client.destroy()
  await s3.close()
})

beforeEach(() => s3.bucket('load').clear())

function clientOf(region: string): S3Client {
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  return new S3Client({ region, endpoint: s3.endpoint, forcePathStyle: true, credentials, maxAttempts: 1 })
}

async function textOf(key: string): Promise<string | undefined> {
  return (await client.send(new GetObjectCommand({ ...at, Key: key }))).Body?.transformToString()
}

describe('the S3 stub', () => {
  it('keeps what the SDK puts, with checksums, plain and chunked', async () => {
    const body = Buffer.from('größe,1\n'.repeat(50_000))
    await client.send(new PutObjectCommand({ ...at, Key: 'a b/ü&.csv', Body: body }))
    const stream = Readable.from([body.subarray(0, 100_001), body.subarray(100_001)])
    await client.send(new PutObjectCommand({ ...at, Key: 'stream', Body: stream, ContentLength: body.length }))
    const puts = s3.requests.filter(request => request.operation === 'PutObject')
    expect(puts.map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'aws-chunked'])
    expect(puts[0]?.headers['x-amz-checksum-crc32']).toMatch(/=$/)
    expect(s3.bucket('load').get('a b/ü&.csv')).toEqual(body)
    expect(s3.object('s3://load/stream')).toEqual(body)
    expect(await textOf('stream')).toBe(body.toString())
    expect((await client.send(new HeadObjectCommand({ ...at, Key: 'stream' }))).ContentLength).toBe(body.length)
    expect(await (await fetch(`${s3.endpoint}/load/stream`)).text()).toBe(body.toString())
  })

  it('lists in pages and deletes many', async () => {
    for (let n = 0; n < 5; n++) s3.bucket('load').set(`p/<${n}>`, Buffer.from('x'))
    s3.bucket('load').set('q', Buffer.from('x'))
    const first = await client.send(new ListObjectsV2Command({ ...at, Prefix: 'p/', MaxKeys: 3 }))
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(['p/<0>', 'p/<1>', 'p/<2>'])
    const token = { ContinuationToken: first.NextContinuationToken }
    const second = await client.send(new ListObjectsV2Command({ ...at, Prefix: 'p/', ...token }))
    expect([second.Contents?.map(({ Key }) => Key), second.IsTruncated]).toEqual([['p/<3>', 'p/<4>'], false])
    const gone = await client.send(
      new DeleteObjectsCommand({ ...at, Delete: { Objects: [{ Key: 'p/<0>' }, { Key: 'none' }] } }),
    )
    expect(gone.Deleted?.map(({ Key }) => Key)).toEqual(['p/<0>', 'none'])
    expect(Array.from(s3.bucket('load').keys()).length).toBe(5)
  })

  it('takes virtual-hosted addresses', async () => {
    const virtual = new S3Client({
      region: 'eu-central-1',
      endpoint: s3.endpoint.replace('127.0.0.1', 'localhost'),
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    })
    // Not every resolver knows names below localhost.
    virtual.middlewareStack.add(
      next => args => {
        const { request } = args as { request: { hostname: string; headers: Record<string, string> } }
        expect(request.hostname).toBe('load.localhost')
        request.hostname = '127.0.0.1'
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' },
    )
    await virtual.send(new PutObjectCommand({ ...at, Key: 'k/v', Body: 'hosted' }))
    virtual.destroy()
    expect(s3.object('s3://load/k/v')?.toString()).toBe('hosted')
  })

  it('refuses what S3 refuses', async () => {
    await expect(textOf('none')).rejects.toMatchObject({ name: 'NoSuchKey' })
    await expect(client.send(new ListObjectsV2Command({ Bucket: 'nowhere' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    })
    const elsewhere = clientOf('us-east-1')
    await expect(elsewhere.send(new PutObjectCommand({ ...at, Key: 'k', Body: 'v' }))).rejects.toMatchObject({
      name: 'AuthorizationHeaderMalformed',
    })
    elsewhere.destroy()
    const wrong = await fetch(`${s3.endpoint}/load/k`, {
      method: 'PUT',
      body: 'v',
      headers: { 'x-amz-checksum-crc32': 'AAAAAA==' },
    })
    expect([wrong.status, /<Code>(.*)<\/Code>/.exec(await wrong.text())?.[1]]).toEqual([400, 'BadDigest'])
    expect(s3.bucket('load').size).toBe(0)
  })

  it('does what a fault says, as often as it says, to whom it says', async () => {
    const put = (key: string) => client.send(new PutObjectCommand({ ...at, Key: key, Body: 'some text' }))
    const faults = [
      { kind: 'internal-error', error: { name: 'InternalError' } },
      { kind: 'slow-down', error: { name: 'SlowDown' } },
      { kind: 'access-denied', error: { name: 'AccessDenied' } },
      { kind: 'reset', error: { code: 'ECONNRESET' } },
    ] as const
    for (const { kind, error } of faults) {
      const fault = s3.inject({ kind, key: /^hit/, operation: 'PutObject' })
      await put('other')
      await expect(put(`hit-${kind}`), kind).rejects.toMatchObject(error)
      await put(`hit-again-${kind}`)
      expect(fault.met).toBe(1)
      expect([s3.object(`s3://load/hit-${kind}`), s3.object(`s3://load/hit-again-${kind}`)?.length]).toEqual([
        undefined,
        9,
      ])
    }
    s3.inject({ kind: 'reset-after' })
    await expect(put('after')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(s3.object('s3://load/after')?.length).toBe(9)
    s3.inject({ kind: 'lost' })
    await put('lost')
    expect(s3.object('s3://load/lost')).toBeUndefined()
    s3.inject({ kind: 'truncated' })
    await expect(textOf('other')).rejects.toThrow()
    const before = Date.now()
    s3.inject({ kind: 'slow', ms: 300 })
    await put('slow')
    expect(Date.now() - before).toBeGreaterThanOrEqual(295)
  })
})
