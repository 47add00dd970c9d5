import { afterEach, describe, expect, it, vi } from 'vitest'
import { mskIamTokens } from '../../../src/log/kafka/msk-iam.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.doUnmock('aws-msk-iam-sasl-signer-js')
})

describe('mskIamTokens', () => {
  it('signs a request to connect to MSK of the region, good for 15 minutes', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI-EXAMPLEKEY')
    vi.stubEnv('AWS_SESSION_TOKEN', 'a-session')
    const source = await mskIamTokens({ region: 'eu-west-1' })
    expect(source.name).toBe('MSK IAM in eu-west-1')
    const before = Date.now()
    const { value, expiresAt } = await source.token()
    const url = new URL(Buffer.from(value, 'base64url').toString())
    expect(url.host).toBe('kafka.eu-west-1.amazonaws.com')
    const parameters = Object.fromEntries(url.searchParams)
    expect(parameters).toMatchObject({
      Action: 'kafka-cluster:Connect',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/),
      'X-Amz-Security-Token': 'a-session',
      'X-Amz-Expires': '900',
      'X-Amz-Signature': expect.stringMatching(/^[\da-f]{64}$/),
    })
    expect(url.href).not.toContain('EXAMPLEKEY')
    // The time of signing is in whole seconds.
    expect(expiresAt).toBeGreaterThanOrEqual(before + 899_000)
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 900_000)
  }, 30_000)

  it('says what to install where the signer is missing', async () => {
    vi.doMock('aws-msk-iam-sasl-signer-js', () => {
      throw new Error("Cannot find package 'aws-msk-iam-sasl-signer-js'")
    })
    await expect(mskIamTokens({ region: 'eu-west-1' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/optional package .* npm install aws-msk-iam-sasl-signer-js\.$/),
    })
  })
})
