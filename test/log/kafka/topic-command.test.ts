import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kafkaLog } from '../../../src/log/kafka/kafka-log.js'
import { topicCommand } from '../../../src/log/kafka/topic-command.js'
import { LogError, type TopicSpec } from '../../../src/ports/log.js'
import { kafkaAvailable } from '../../services/kafka.js'
import { type SecureKafkaService, startSecureKafka } from '../../services/secure-kafka.js'

const topics: readonly TopicSpec[] = [
  { name: 'staging.t-progress', partitions: 1, config: { 'cleanup.policy': 'compact', 'segment.ms': '600000' } },
  { name: 'staging.t-dead-letters', partitions: 3, config: { 'retention.ms': '-1' } },
]

it('is a line for a shell', () => {
  expect(topicCommand({ name: 't', partitions: 2, config: { 'retention.ms': '-1' } }, 'a:1,b:2')).toBe(
    'kafka-topics.sh --bootstrap-server a:1,b:2 --create --if-not-exists --topic t --partitions 2 --config retention.ms=-1',
  )
})

describe.skipIf(kafkaAvailable() !== undefined)('a user who may not create topics', () => {
  let kafka: SecureKafkaService
  beforeAll(async () => {
    kafka = await startSecureKafka({
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    })
    const rights = ['--add', '--allow-principal', 'User:alice', '--operation', 'Describe', '--topic', '*']
    await kafka.tool('org.apache.kafka.tools.AclCommand', '--bootstrap-server', kafka.inside, ...rights)
  })
  afterAll(() => kafka?.stop())

  it('is told the commands that somebody else has to run, and goes on when they were run', async () => {
    const log = await kafkaLog({ brokers: kafka.brokers, config: kafka.settings('alice', 'PLAIN') })
    try {
      const thrown = await log.createTopics(topics).catch((error: unknown) => error)
      expect(thrown).toBeInstanceOf(LogError)
      const { message } = thrown as LogError
      expect(message).toContain('does not let this user create topics')
      const commands = message.split('\n').slice(1)
      expect(commands.sort()).toEqual(topics.map(topic => topicCommand(topic, kafka.brokers)).sort())
      for (const command of commands) {
        const words = command.replace(kafka.brokers, kafka.inside).split(' ').slice(1)
        await kafka.tool('org.apache.kafka.tools.TopicCommand', ...words)
      }
      const found = await log.describeTopics(topics.map(({ name }) => name))
      expect([...found.values()].map(({ name, partitions }) => [name, partitions])).toEqual([
        ['staging.t-progress', 1],
        ['staging.t-dead-letters', 3],
      ])
      const description = await kafka.tool(
        'org.apache.kafka.tools.TopicCommand',
        ...['--bootstrap-server', kafka.inside, '--describe', '--topic', 'staging.t-progress'],
      )
      expect(description).toMatch(/cleanup\.policy=compact/)
      expect(description).toMatch(/segment\.ms=600000/)
    } finally {
      await log.close()
    }
  })
})
