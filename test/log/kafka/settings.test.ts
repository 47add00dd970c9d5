import { describe, expect, it } from 'vitest'
import {
  checkSettings,
  clientSettings,
  isSecretSetting,
  redact,
  tokenSettings,
  transactionTimeout,
} from '../../../src/log/kafka/settings.js'

describe('Kafka settings', () => {
  it('take the user over the defaults, and what correctness rests on over both', () => {
    const { global } = clientSettings('b:9092', { 'linger.ms': 5 }, { 'linger.ms': 50 }, { 'group.id': 'g' })
    expect(global).toEqual({ 'client.id': 'millrace', 'linger.ms': 50, 'group.id': 'g', 'bootstrap.servers': 'b:9092' })
  })

  it('go to the level where librdkafka keeps them', () => {
    const { global, topic } = clientSettings('b', {}, { acks: 'all', 'compression.codec': 'lz4' }, {})
    expect(topic).toEqual({ acks: 'all' })
    expect(global).toMatchObject({ 'compression.codec': 'lz4' })
  })

  it('of classic groups are left out where the broker decides them', () => {
    const user = { 'session.timeout.ms': 6_000 }
    expect(clientSettings('b', {}, user, { 'group.protocol': 'consumer' }).global).not.toHaveProperty(
      'session.timeout.ms',
    )
    expect(clientSettings('b', {}, user, { 'group.protocol': 'classic' }).global).toMatchObject(user)
  })

  it('that Millrace sets itself are refused, all by name', () => {
    expect(() => checkSettings({ 'enable.auto.commit': true, 'group.id': 'x', 'linger.ms': 1 })).toThrow(
      /enable\.auto\.commit, group\.id\./,
    )
    expect(() => checkSettings({ 'linger.ms': 1 })).not.toThrow()
  })

  it('let transactions live for 10 s beyond the commit interval, or for as long as is said', () => {
    expect(transactionTimeout({}, 0)).toBe(10_000)
    expect(transactionTimeout({}, 60_000)).toBe(70_000)
    expect(transactionTimeout({ 'transaction.timeout.ms': '5000' }, 200)).toBe(5_000)
    expect(() => transactionTimeout({ 'transaction.timeout.ms': 5_000 }, 5_000)).toThrow(
      /transaction\.timeout\.ms=5000 is no longer than the commit interval of 5000 ms/,
    )
  })

  it('of clients with tokens are OAUTHBEARER, over TLS unless something else is said', () => {
    expect(tokenSettings({ 'linger.ms': 1 })).toEqual({
      'linger.ms': 1,
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'OAUTHBEARER',
    })
    const plain = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanisms': 'OAuthBearer' }
    expect(tokenSettings(plain)).toEqual({ 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'OAUTHBEARER' })
    expect(() => tokenSettings({ 'sasl.mechanism': 'PLAIN' })).toThrow(
      /by tokens was chosen, and sasl\.mechanism=PLAIN/,
    )
  })

  it('are secret where they hold a password or a key, not where they name a file or a user', () => {
    const secret = [
      'sasl.password',
      'ssl.key.password',
      'ssl.key.pem',
      'ssl.keystore.password',
      'sasl.oauthbearer.client.secret',
      'sasl.oauthbearer.client.credentials.client.secret',
      'sasl.oauthbearer.assertion.private.key.passphrase',
      'sasl.oauthbearer.assertion.private.key.pem',
      'sasl.oauthbearer.config',
    ]
    const open = ['sasl.username', 'ssl.key.location', 'ssl.keystore.location', 'ssl.ca.pem', 'sasl.oauthbearer.method']
    const urls = ['sasl.oauthbearer.token.endpoint.url', 'sasl.oauthbearer.assertion.private.key.file']
    expect([...secret, ...open, ...urls].filter(isSecretSetting)).toEqual(secret)
  })

  it('keep their secrets out of messages', () => {
    const settings = {
      'sasl.password': 'open sesame',
      'ssl.key.password': 'k3y',
      'sasl.username': 'ali',
      'linger.ms': 5,
    }
    expect(redact('ali said open sesame, then k3y and open sesame', settings)).toBe('ali said ***, then *** and ***')
  })
})
