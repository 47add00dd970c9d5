import { describe, expect, it } from 'vitest'
import { s3Advice } from '../../../src/objects/s3/s3-advice.js'

const action = { bucket: 'load', prefix: 'a/', permission: 's3:PutObject', region: 'eu-west-1' } as const

describe('s3Advice', () => {
  it.each([
    [{ name: 'AccessDenied' }, /Allow s3:PutObject on arn:aws:s3:::load\/a\/\*/],
    [{ Code: 'AccessDenied' }, /Allow s3:PutObject/],
    [{ name: 'NoSuchBucket' }, /Create the bucket "load"/],
    [{ name: 'PermanentRedirect' }, /signed for eu-west-1: set the region of the bucket instead/],
    [{ name: 'AuthorizationHeaderMalformed', Region: 'us-east-1' }, /bucket, which is us-east-1, instead/],
    [{ name: 'ExpiredToken' }, /expired/],
    [{ name: 'SignatureDoesNotMatch' }, /access key/],
    [{ name: 'CredentialsProviderError' }, /Give credentials/],
    [{ message: 'Region is missing' }, /AWS_REGION/],
    [{ name: 'SlowDown' }, /busy/],
    [{ name: 'Error', code: 'ENOTFOUND' }, /endpoint/],
  ])('%j', (failure, advice) => expect(s3Advice(failure, action)).toMatch(advice))

  it.each([[undefined], ['text'], [new Error('What happened.')]])('is nothing for what says all itself: %s', failure =>
    expect(s3Advice(failure, action)).toBe(''),
  )
})
