import { describe, expect, it } from 'vitest'
import { connectAdvice } from '../../../src/warehouse/postgres/connect-advice.js'

const failure = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code })

describe('connectAdvice', () => {
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /sslrootcert/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /sslrootcert/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /sslrootcert/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /host name in the certificate/],
    ['28P01', /check user and password/],
    ['28000', /check user and password/],
  ])('%s', (code, advice) => {
    expect(connectAdvice(failure('refused', code))).toMatch(advice)
  })

  it('of what the driver says without a code', () => {
    expect(connectAdvice(failure('The server does not support SSL connections'))).toMatch(/remove sslmode/)
    const missing = 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'
    expect(connectAdvice(failure(missing))).toMatch(/asks for a password, and none is given/)
  })

  it('is nothing for what says all itself', () => {
    expect(connectAdvice(failure('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'))).toBe('')
  })
})
