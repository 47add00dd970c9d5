import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Certificate, newAuthority, newServerCertificate } from './certificates.js'
import { type KafkaService, startKafka } from './kafka.js'

/** A broker that clients reach by SASL over TLS: PLAIN, SCRAM-SHA-512 and OAUTHBEARER. */
export interface SecureKafkaService extends KafkaService {
  /** PEM file of the authority that signed the broker's certificate, which is for 127.0.0.1 and no name. */
  readonly authority: string
  /** PEM file of an authority that signed nothing. */
  readonly otherAuthority: string
  /** Password of each user, the same for PLAIN and SCRAM-SHA-512. Tokens need none: each is believed. */
  readonly passwords: Readonly<Record<User, string>>
  /** Settings of librdkafka with which a user comes in. */
  settings(user: User, mechanism: 'PLAIN' | 'SCRAM-SHA-512'): Record<string, string>
}

export type User = 'alice' | 'bob'

const PASSWORDS: Readonly<Record<User, string>> = { alice: 'Pa55-w0rd of alice', bob: 'Pa55-w0rd of bob' }
const UNSECURED = 'org.apache.kafka.common.security.oauthbearer.internals.unsecured'
/** How long a connection lives that came with a token, in ms, before the broker wants another token. */
const REAUTHENTICATE_MS = 5_000

/** Users are asked for their rights where `settings` name an authorizer; administrators come in by `inside`. */
export async function startSecureKafka(settings: Readonly<Record<string, string>> = {}): Promise<SecureKafkaService> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-tls-'))
  const authority = await newAuthority(folder, 'authority')
  const otherAuthority = await newAuthority(folder, 'other-authority')
  const users = Object.entries(PASSWORDS)
  const plain = users.map(([name, password]) => `user_${name}="${password}"`).join(' ')
  const client = 'listener.name.client'
  const kafka = await startKafka(
    {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': await brokerKeyIn(folder, authority),
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512,OAUTHBEARER',
      [`${client}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};`,
      [`${client}.scram-sha-512.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      [`${client}.oauthbearer.sasl.jaas.config`]:
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
      [`${client}.oauthbearer.sasl.server.callback.handler.class`]: `${UNSECURED}.OAuthBearerUnsecuredValidatorCallbackHandler`,
      [`${client}.oauthbearer.connections.max.reauth.ms`]: `${REAUTHENTICATE_MS}`,
      ...settings,
    },
    {
      protocol: 'SASL_SSL',
      format: users.flatMap(([name, password]) => ['--add-scram', `SCRAM-SHA-512=[name=${name},password=${password}]`]),
    },
  )
  return {
    ...kafka,
    authority: authority.certificate,
    otherAuthority: otherAuthority.certificate,
    passwords: PASSWORDS,
    settings: (user, mechanism) => ({
      'security.protocol': 'SASL_SSL',
      'ssl.ca.location': authority.certificate,
      'sasl.mechanism': mechanism,
      'sasl.username': user,
      'sasl.password': PASSWORDS[user],
    }),
    async stop() {
      await kafka.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** One file with the broker's key and certificate, as Kafka takes them in PEM. */
async function brokerKeyIn(folder: string, authority: Certificate): Promise<string> {
  const { certificate, key } = await newServerCertificate(folder, authority)
  const file = join(folder, 'broker.pem')
  await writeFile(file, [await readFile(key), await readFile(certificate)].join(''))
  return file
}
