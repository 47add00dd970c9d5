import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { S3Options } from '../../../src/objects/s3/s3-object-store.js'
import { s3ObjectStore } from '../../../src/objects/s3/s3-object-store.js'
import type { ObjectStore } from '../../../src/ports/object-store.js'
import { type S3FaultKind, type S3Service, startS3 } from '../../services/s3.js'
import { objectStoreContract } from '../object-store-contract.js'

let s3: S3Service
const stores: ObjectStore[] = []

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  s3 = await startS3({ buckets: ['load'], region: 'eu-central-1' })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(stores.splice(0).map(store => store.close()))
  await s3.close()
})

function opened(options: Partial<S3Options> = {}): ObjectStore {
  const store = s3ObjectStore({
    url: 's3://load/mill/race',
    region: 'eu-central-1',
    endpoint: s3.endpoint,
    ...options,
  })
  stores.push(store)
  return store
}

objectStoreContract('S3', {
  open: () => opened(),
  contents: () => s3.bucket('load'),
  keyPrefix: 'mill/race/',
})

describe('s3ObjectStore', () => {
  it('names itself and addresses as COPY takes them, without connecting', () => {
    const store = s3ObjectStore({ url: 's3://my-bucket//a/b//', region: 'eu-west-1' })
    expect([store.name, store.url('k/1.gz')]).toEqual([
      'S3 bucket "my-bucket" in eu-west-1',
      's3://my-bucket/a/b/k/1.gz',
    ])
    expect(s3ObjectStore({ url: 's3://my-bucket' }).url('k')).toBe('s3://my-bucket/k')
    expect(opened().name).toBe(`S3 bucket "load" at ${s3.endpoint}`)
    expect(s3.requests).toEqual([])
  })

  it('refuses what is no address in S3', () => {
    expect(() => opened({ url: 'my-bucket' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('refuses an endpoint that is no URL', () => {
    expect(() => opened({ endpoint: 'localhost:9000' })).toThrow(/endpoint of S3.*https/)
  })

  it.each<S3FaultKind>(['internal-error', 'slow-down', 'reset', 'reset-after', 'slow'])(
    'writes in spite of %s',
    async kind => {
      const store = opened()
      const fault = s3.inject({ kind, times: 2, operation: 'PutObject' })
      await store.put('k', Buffer.from('value'))
      await store.put('other', Buffer.from('value'))
      expect(fault.met).toBe(2)
      expect(Array.from(s3.bucket('load'))).toEqual([
        ['mill/race/k', Buffer.from('value')],
        ['mill/race/other', Buffer.from('value')],
      ])
    },
  )

  it('gives a request up that is not answered, and tries again', async () => {
    const store = opened({ requestTimeoutMs: 300 })
    const fault = s3.inject({ kind: 'hang' })
    await store.put('k', Buffer.from('value'))
    expect([fault.met, s3.requests.length]).toEqual([1, 2])
  })

  it('deletes in spite of faults, more than a request takes', async () => {
    const store = opened()
    const keys = Array.from({ length: 1_001 }, (_, n) => `<&${n}`)
    for (const key of keys) s3.bucket('load').set(`mill/race/${key}`, Buffer.from('x'))
    const fault = s3.inject({ kind: 'slow-down', operation: 'DeleteObjects' })
    await store.delete(keys)
    expect([fault.met, s3.bucket('load').size, s3.requests.length]).toEqual([1, 0, 3])
  })

  it('gives up after its attempts, and says what to check', async () => {
    const store = opened({ attempts: 2 })
    const fault = s3.inject({ kind: 'slow-down', times: 2 })
    await expect(store.put('k', Buffer.from('v'))).rejects.toMatchObject({
      code: 'OBJECT_STORE',
      message: expect.stringMatching(/S3 bucket "load".*cannot write s3:\/\/load\/mill\/race\/k: SlowDown.*busy/),
    })
    expect(fault.met).toBe(2)
    await store.put('k', Buffer.from('v'))
  })

  it('says which permission, bucket or region is wrong, at once', async () => {
    s3.inject({ kind: 'access-denied', times: 2 })
    const store = opened()
    const denied = /AccessDenied: Access Denied\. Allow s3:PutObject on arn:aws:s3:::load\/mill\/race\/\*/
    await expect(store.put('k', Buffer.from('v'))).rejects.toThrow(denied)
    await expect(store.delete(['k'])).rejects.toThrow(/Allow s3:DeleteObject on/)
    const nowhere = opened({ url: 's3://elsewhere/x' })
    await expect(nowhere.put('k', Buffer.from('v'))).rejects.toThrow(/NoSuchBucket.*Create the bucket "elsewhere"/)
    const region = opened({ region: 'us-east-1' })
    await expect(region.put('k', Buffer.from('v'))).rejects.toThrow(
      /signed for us-east-1: set the region of the bucket, which is eu-central-1/,
    )
    expect(s3.requests.length).toBe(4)
  })

  it('says what is missing where there are no credentials or no region', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    await expect(opened().put('k', Buffer.from('v'))).rejects.toMatchObject({
      code: 'OBJECT_STORE',
      message: expect.stringMatching(/Give credentials in one of the ways of the AWS SDK/),
    })
    vi.stubEnv('AWS_REGION', undefined)
    vi.stubEnv('AWS_DEFAULT_REGION', undefined)
    const { region: _, ...options } = { region: '', url: 's3://load/x', endpoint: s3.endpoint }
    const store = s3ObjectStore(options)
    await expect(store.put('k', Buffer.from('v'))).rejects.toThrow(/Region is missing\. Set --aws-region or AWS_REGION/)
    await store.close()
  })

  it('says that it is out of reach', async () => {
    const store = opened({ endpoint: 'http://127.0.0.1:9', attempts: 1 })
    await expect(store.put('k', Buffer.from('v'))).rejects.toMatchObject({
      code: 'OBJECT_STORE',
      message: expect.stringMatching(/ECONNREFUSED.*Check the endpoint/),
    })
  })
})
