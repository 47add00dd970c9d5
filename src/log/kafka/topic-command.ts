import type { TopicSpec } from '../../ports/log.js'

/**
 * The call of Kafka's own tool that creates a topic as Millrace does. Replication is the broker's default, as there.
 * @param brokers for `--bootstrap-server`.
 */
export function topicCommand({ name, partitions, config }: TopicSpec, brokers: string): string {
  const settings = Object.entries(config).map(([key, value]) => ` --config ${key}=${value}`)
  return `kafka-topics.sh --bootstrap-server ${brokers} --create --if-not-exists --topic ${name} --partitions ${partitions}${settings.join('')}`
}
