import { describe, expect, it } from 'vitest'
import { s3Address } from '../../../src/objects/s3/s3-address.js'

describe('s3Address', () => {
  it.each([
    ['s3://my-bucket', 'my-bucket', ''],
    ['s3://my-bucket/', 'my-bucket', ''],
    ['s3://my.bucket//a/b//', 'my.bucket', 'a/b/'],
    ['s3://123/größe', '123', 'größe/'],
  ])('%s', (url, bucket, prefix) => expect(s3Address(url)).toEqual({ bucket, prefix }))

  it.each(['my-bucket', 'https://bucket/x', 's3://', 's3://UPPER/x', 's3://bucket/a b', 's3://ab', 's3://bucket/x?y'])(
    'refuses %s',
    url => expect(() => s3Address(url)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' })),
  )
})
