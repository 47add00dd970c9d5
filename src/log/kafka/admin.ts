import type { KafkaConsumer, Metadata } from 'node-rdkafka'
import { LogError, type TopicDescription, type TopicSpec } from '../../ports/log.js'
import type { KafkaClient } from './kafka-client.js'
import { CODE, isKafkaFailure } from './kafka-error.js'
import { clientSettings } from './settings.js'
import { topicCommand } from './topic-command.js'

const CALL_MS = 10_000
const USABLE_WITHIN_MS = 30_000
const CHECK_EVERY_MS = 50

/** Answers of a broker that does not let this user create topics. */
const MAY_NOT_CREATE = new Set<number>([CODE.topicAuthorization, CODE.clusterAuthorization, CODE.policyViolation])

type Client = KafkaClient<KafkaConsumer>

/** Partitions of a topic that have a leader, and how many it has in all; none where it does not exist. */
async function partitionsOf(client: Client, topic: string): Promise<{ readonly all: number; readonly led: number }> {
  const metadata = await client.retry<Metadata>(`Asking for the topic ${topic}`, done =>
    client.native.getMetadata({ topic, timeout: CALL_MS }, done),
  )
  const partitions = metadata.topics.find(({ name }) => name === topic)?.partitions ?? []
  return { all: partitions.length, led: partitions.filter(({ leader }) => leader >= 0).length }
}

export async function describeTopics(
  client: Client,
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  const found = new Map<string, TopicDescription>()
  for (const name of names) {
    const { all } = await partitionsOf(client, name)
    if (all > 0) found.set(name, { name, partitions: all })
  }
  return found
}

/**
 * Creates topics that do not exist and waits until each partition has a leader.
 * @throws LogError with the commands that create the topics where this user may not.
 */
export async function createTopics(client: Client, topics: readonly TopicSpec[], replication: number): Promise<void> {
  const { driver, brokers, settings, clock, tokens } = client.context
  const admin = driver.AdminClient.create(clientSettings(brokers, {}, settings, {}).global, await tokens?.current())
  const refused: TopicSpec[] = []
  let reason = ''
  try {
    await Promise.all(
      topics.map(spec => {
        const { name, partitions, config } = spec
        const topic = {
          topic: name,
          num_partitions: partitions,
          replication_factor: replication,
          config: { ...config },
        }
        const created = client.attempt<void>(done => {
          admin.createTopic(topic, CALL_MS, failure => done(failure, undefined))
        })
        return created.catch((thrown: unknown) => {
          if (isKafkaFailure(thrown) && thrown.code === CODE.topicExists) return
          const failure = client.failed(`Creating the topic ${name}`, thrown)
          if (!isKafkaFailure(thrown) || !MAY_NOT_CREATE.has(thrown.code)) throw failure
          reason = thrown.message
          refused.push(spec)
        })
      }),
    )
  } finally {
    admin.disconnect()
  }
  if (refused.length > 0) {
    const commands = refused.map(topic => topicCommand(topic, brokers)).join('\n')
    throw new LogError(
      'fatal',
      `${client.context.name} does not let this user create topics (${reason}). Grant CREATE on topics with the prefix of the topology's group, or let somebody who may run:\n${commands}`,
      { refused: true },
    )
  }
  const deadline = clock.now() + USABLE_WITHIN_MS
  for (const { name } of topics) {
    for (;;) {
      const { all, led } = await partitionsOf(client, name)
      if (all > 0 && led === all) break
      if (clock.now() > deadline) {
        throw new LogError(
          'fatal',
          `The topic ${name} was created at ${client.context.name}, but ${all - led} of its ${all} partitions have no leader after ${USABLE_WITHIN_MS} ms. Check that all brokers run.`,
        )
      }
      await clock.sleep(CHECK_EVERY_MS)
    }
  }
}
