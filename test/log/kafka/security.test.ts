import { describe, expect, it } from 'vitest'
import { checkSecurity } from '../../../src/log/kafka/security.js'

const ALL = [
  'gzip',
  'ssl',
  'sasl',
  'lz4',
  'zstd',
  'sasl_plain',
  'sasl_scram',
  'sasl_gssapi',
  'sasl_oauthbearer',
  'oidc',
]

describe('checkSecurity', () => {
  it.each([
    [{ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN' }, 'ssl', 'libssl-dev'],
    [{ 'security.protocol': 'ssl' }, 'ssl', 'libssl-dev'],
    [{ 'security.protocol': 'sasl_plaintext', 'sasl.mechanisms': 'plain' }, 'sasl_plain', 'libsasl2-dev'],
    [{ 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'SCRAM-SHA-512' }, 'sasl_scram', 'libssl-dev'],
    [{ 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'GSSAPI' }, 'sasl_gssapi', 'libsasl2-modules-gssapi-mit'],
    [{ 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'OAUTHBEARER' }, 'sasl_oauthbearer', 'libssl-dev'],
    [
      { 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'OAUTHBEARER', 'sasl.oauthbearer.method': 'oidc' },
      'oidc',
      'libcurl4-openssl-dev',
    ],
    [{ 'compression.codec': 'zstd' }, 'zstd', 'libzstd-dev'],
    [{ 'compression.type': 'lz4' }, 'lz4', 'liblz4-dev'],
  ])('%j needs %s', async (settings, feature, packages) => {
    await checkSecurity(settings, ALL)
    const lacking = checkSecurity(
      settings,
      ALL.filter(one => one !== feature),
    )
    await expect(lacking).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(new RegExp(`needs "${feature}", which .* lacks: .*Install .*${packages}`)),
    })
  })

  it('needs nothing for plain text, and names an unknown mechanism', async () => {
    await checkSecurity({ 'linger.ms': 5, 'compression.codec': 'none' }, [])
    const unknown = { 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'MAGIC' }
    await expect(checkSecurity(unknown, ALL)).rejects.toThrow(/sasl\.mechanism=MAGIC needs "sasl_magic".*it has gzip/)
  })

  it('wants a mechanism with SASL: the default of librdkafka is Kerberos', async () => {
    await expect(checkSecurity({ 'security.protocol': 'SASL_SSL' }, ALL)).rejects.toThrow(
      /security\.protocol is SASL_SSL, and no sasl\.mechanism is given/,
    )
  })

  it.each(['ssl.ca.location', 'ssl.certificate.location', 'ssl.key.location', 'ssl.keystore.location'])(
    'names the file of %s that cannot be read',
    async setting => {
      const missing = checkSecurity({ 'security.protocol': 'ssl', [setting]: '/nowhere/at-all.pem' }, ALL)
      await expect(missing).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`${setting} names a file .* ENOENT.*/nowhere/at-all.pem`)),
      })
      await checkSecurity({ 'security.protocol': 'ssl', [setting]: import.meta.dirname }, ALL)
    },
  )
})
