import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type KafkaLogOptions, kafkaLog } from '../../../src/log/kafka/kafka-log.js'
import type { OauthToken, TokenSource } from '../../../src/log/kafka/oauth-tokens.js'
import type { Log } from '../../../src/ports/log.js'
import { until } from '../../e2e/until.js'
import { kafkaAvailable } from '../../services/kafka.js'
import { type SecureKafkaService, startSecureKafka } from '../../services/secure-kafka.js'
import { Member, plain, pollUntil, unique } from '../member.js'

const unavailable = process.env.MILLRACE_TEST_SERVICES === '0' || kafkaAvailable() !== undefined

describe.skipIf(unavailable)('Kafka by SASL over TLS', () => {
  let kafka: SecureKafkaService
  /** All that was logged in the current test, at debug level. */
  let said: string[]

  beforeAll(async () => {
    kafka = await startSecureKafka()
  }, 120_000)

  afterAll(() => kafka?.stop())

  const open = async (options: Partial<KafkaLogOptions>): Promise<Log> => {
    said = []
    const note = (text: string) => said.push(text)
    const log = await kafkaLog({ brokers: kafka.brokers, logger: { debug: note, warn: note }, ...options })
    onTestFinished(() => log.close())
    return log
  }
  const topicOf = async (log: Log) => {
    const topic = unique('topic')
    await log.createTopics([{ name: topic, partitions: 1, config: {} }])
    return topic
  }
  const memberOf = async (log: Log, topic: string) => {
    const consumer = await log.consumer({ group: unique('group') })
    onTestFinished(() => consumer.close())
    consumer.subscribe([topic])
    return new Member(consumer)
  }
  const failureOf = async (log: Log): Promise<Error> => {
    const thrown = await log.describeTopics(['any']).catch((failure: unknown) => failure)
    if (thrown instanceof Error) return thrown
    throw new Error('Nothing failed.')
  }
  const expectNoSecret = (...also: readonly string[]) => {
    const secrets = [...Object.values(kafka.passwords), 'Pa55-w0rd of nobody']
    for (const secret of secrets) expect([...said, ...also].join('\n')).not.toContain(secret)
  }

  it.each(['PLAIN', 'SCRAM-SHA-512'] as const)(
    '%s: creates, writes in a transaction, reads in a group',
    async mechanism => {
      const log = await open({ config: { ...kafka.settings('alice', mechanism), debug: 'security,broker,protocol' } })
      const topic = await topicOf(log)
      const member = await memberOf(log, topic)
      const producer = await log.producer({ transactionalId: unique('tx') })
      onTestFinished(() => producer.close())
      await producer.begin()
      producer.send(topic, 0, null, Buffer.from('a'), Date.now())
      await producer.commit()
      await pollUntil([member], () => member.records.length === 1)
      expect(said.length).toBeGreaterThan(100)
      expectNoSecret()
    },
  )

  it.each(['PLAIN', 'SCRAM-SHA-512'] as const)(
    '%s: a wrong password is named at once, and not shown',
    async mechanism => {
      const config = {
        ...kafka.settings('alice', mechanism),
        'sasl.password': 'Pa55-w0rd of nobody',
        debug: 'security',
      }
      const log = await open({ config })
      const before = Date.now()
      const { message } = await failureOf(log)
      expect(message).toMatch(new RegExp(`^Connecting to Kafka at ${kafka.brokers} failed: SASL authentication error`))
      expect(message).toMatch(new RegExp(`mechanism is ${mechanism}: .* check sasl\\.username and sasl\\.password\\.$`))
      // Waiting for brokers that do not answer takes 10 s; this is no wait.
      expect(Date.now() - before).toBeLessThan(9_000)
      expectNoSecret(message)
    },
  )

  it('a mechanism that the broker does not have is named, with those that it has', async () => {
    const config = { ...kafka.settings('alice', 'PLAIN'), 'sasl.mechanism': 'SCRAM-SHA-256' }
    expect((await failureOf(await open({ config }))).message).toMatch(/mechanisms: PLAIN,SCRAM-SHA-512,OAUTHBEARER/)
  })

  it('an unknown authority is named by the setting for it', async () => {
    const config = { ...kafka.settings('alice', 'PLAIN'), 'ssl.ca.location': kafka.otherAuthority }
    const { message } = await failureOf(await open({ config }))
    expect(message).toContain(`set ssl.ca.location (${kafka.otherAuthority})`)
  })

  it('a certificate for another host name is named', async () => {
    const log = await open({ brokers: `localhost:${kafka.port}`, config: kafka.settings('alice', 'PLAIN') })
    const { message } = await failureOf(log)
    expect(message).toMatch(/Connecting to Kafka at localhost:\d+ failed: the certificate.*for another host name/)
  })

  it('a listener without TLS, and one with it, are named by security.protocol', async () => {
    const plain = await open({ brokers: kafka.inside, config: kafka.settings('alice', 'PLAIN') })
    expect((await failureOf(plain)).message).toContain('Check the port, and security.protocol.')
    const secure = await open({ config: {} })
    expect((await failureOf(secure)).message).toMatch(/wants TLS or SASL: check the port, and security\.protocol/)
  }, 60_000)

  describe('with tokens', () => {
    const LIFE_MS = 10_000

    /** Tokens that name alice, which the broker believes until they expire. */
    class Tokens implements TokenSource {
      readonly name = 'the test'
      readonly given: OauthToken[] = []
      broken = false
      life = LIFE_MS

      async token(): Promise<OauthToken> {
        if (this.broken) throw new Error('the signer is out of order')
        const now = Date.now()
        const claims = { sub: 'alice', iat: now / 1_000, exp: (now + this.life) / 1_000, jti: this.given.length }
        const parts = [{ alg: 'none' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
        const token = { value: `${parts.join('.')}.`, expiresAt: now + this.life }
        this.given.push(token)
        return token
      }
    }

    const settings = () => ({ 'ssl.ca.location': kafka.authority })

    it('goes on in every client, old and new, while one token after another expires', async () => {
      const tokens = new Tokens()
      const log = await open({ tokens, config: { ...settings(), debug: 'security' } })
      const topic = await topicOf(log)
      const member = await memberOf(log, topic)
      const producer = await log.producer({ transactionalId: unique('tx') })
      onTestFinished(() => producer.close())
      let sent = 0
      const started = Date.now()
      while (Date.now() - started < 2.5 * LIFE_MS) {
        await producer.begin()
        producer.send(topic, 0, null, Buffer.from(String(sent++)), Date.now())
        await producer.commit()
        await pollUntil([member], () => member.records.length === sent)
      }
      // A client of its own for reading, and one for creating, are made now.
      await topicOf(log)
      const values: string[] = []
      const { high } = await log.watermarks({ topic, partition: 0 })
      for await (const batch of log.read({ topic, partition: 0 }, 0, high)) {
        values.push(...plain(batch).map(({ value }) => String(value)))
      }
      const all = Array.from({ length: sent }, (_, i) => String(i))
      expect(values).toEqual(all)
      expect(member.values()).toEqual(all)
      expect(tokens.given.length).toBeGreaterThanOrEqual(3)
      expect(tokens.given[0]?.expiresAt).toBeLessThan(Date.now() - LIFE_MS)
      for (const { value } of tokens.given) expect(said.join('\n')).not.toContain(value)
    }, 120_000)

    it('is refused once a token that nobody renews has expired, and comes back with a new one', async () => {
      const tokens = new Tokens()
      const log = await open({ tokens, config: settings() })
      const topic = await topicOf(log)
      const at = { topic, partition: 0 }
      const member = await memberOf(log, topic)
      const producer = await log.producer()
      onTestFinished(() => producer.close())
      const send = async (value: string) => {
        producer.send(topic, 0, null, Buffer.from(value), Date.now())
        await producer.flush()
      }
      await send('before')
      await pollUntil([member], () => member.records.length === 1)
      tokens.broken = true
      const refused = () => said.some(text => /SASL authentication error.*mechanism is OAUTHBEARER/.test(text))
      await until('the broker to refuse an expired token', 60_000, async () => {
        await member.poll()
        return refused()
      })
      expect(said.join('\n')).toContain('the signer is out of order')
      // Long enough for what comes, however slow the machine is.
      tokens.life = 600_000
      tokens.broken = false
      await until('the offsets of a topic', 120_000, async () => {
        await member.poll()
        return log.watermarks(at).then(
          ({ high }) => high === 1,
          () => false,
        )
      })
      await send('after')
      await pollUntil([member], () => member.records.length === 2, 60_000)
    }, 300_000)
  })
})
