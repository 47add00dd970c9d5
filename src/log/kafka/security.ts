import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { KafkaSettings } from './settings.js'

/** What a build of librdkafka can lack, and what its build needs for it. */
const PACKAGES: Readonly<Record<string, string>> = {
  ssl: 'libssl-dev',
  sasl: 'libsasl2-dev',
  sasl_plain: 'libsasl2-dev',
  sasl_scram: 'libssl-dev',
  sasl_oauthbearer: 'libssl-dev',
  sasl_gssapi: 'libsasl2-dev, and where it runs libsasl2-modules-gssapi-mit',
  oidc: 'libcurl4-openssl-dev',
  zstd: 'libzstd-dev',
  lz4: 'liblz4-dev',
  gzip: 'zlib1g-dev',
}

/** Files that librdkafka reads when a client is made. It says of a missing one that there was an error in "system lib". */
const FILES = [
  'ssl.ca.location',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.keystore.location',
  'ssl.crl.location',
]

function text(settings: KafkaSettings, ...names: readonly string[]): string | undefined {
  const found = names.find(name => settings[name] !== undefined)
  return found === undefined ? undefined : String(settings[found])
}

/** The SASL mechanism that is asked for, in capitals; undefined without SASL. */
export function mechanismOf(settings: KafkaSettings): string | undefined {
  if (!/^sasl_/i.test(text(settings, 'security.protocol') ?? '')) return undefined
  return text(settings, 'sasl.mechanism', 'sasl.mechanisms')?.toUpperCase()
}

function featuresFor(settings: KafkaSettings): Map<string, string> {
  const needed = new Map<string, string>()
  const protocol = text(settings, 'security.protocol')?.toLowerCase() ?? ''
  if (/ssl$/.test(protocol)) needed.set('ssl', `security.protocol=${protocol}`)
  const mechanism = mechanismOf(settings)
  const feature = /^SCRAM-/.test(mechanism ?? '') ? 'sasl_scram' : `sasl_${mechanism?.toLowerCase()}`
  if (mechanism !== undefined) needed.set(feature, `sasl.mechanism=${mechanism}`)
  const method = text(settings, 'sasl.oauthbearer.method')
  if (method === 'oidc') needed.set('oidc', 'sasl.oauthbearer.method=oidc')
  const codec = text(settings, 'compression.codec', 'compression.type')
  if (codec !== undefined && codec in PACKAGES) needed.set(codec, `compression.codec=${codec}`)
  return needed
}

/**
 * Refuses, before anything is connected, settings of authentication, TLS and compression that cannot work.
 * `features` are those of the driver's librdkafka.
 * @throws MillraceError INVALID_OPTION
 */
export async function checkSecurity(settings: KafkaSettings, features: readonly string[]): Promise<void> {
  const protocol = text(settings, 'security.protocol')
  if (/^sasl_/i.test(protocol ?? '') && mechanismOf(settings) === undefined) {
    throw new MillraceError(
      'INVALID_OPTION',
      `security.protocol is ${protocol}, and no sasl.mechanism is given. Set it to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or what else the brokers ask for.`,
    )
  }
  for (const [feature, setting] of featuresFor(settings)) {
    if (features.includes(feature)) continue
    const needs = PACKAGES[feature]
    const remedy = needs
      ? ` Install ${needs} where node-rdkafka is built, and build it anew: npm rebuild node-rdkafka.`
      : ''
    throw new MillraceError(
      'INVALID_OPTION',
      `The Kafka setting ${setting} needs "${feature}", which this build of librdkafka lacks: it has ${features.join(', ')}.${remedy}`,
    )
  }
  for (const setting of FILES) {
    const file = text(settings, setting)
    if (file === undefined || file === 'probe') continue
    await access(file, constants.R_OK).catch((thrown: unknown) => {
      const message = `The Kafka setting ${setting} names a file that cannot be read: ${messageOf(thrown)}.`
      throw new MillraceError('INVALID_OPTION', message, { cause: thrown })
    })
  }
}
