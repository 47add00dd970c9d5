import { partitionId, type TopicPartition } from '../../model/topic-partition.js'

/** A group's member as the assignment sees it. */
export interface Subscriber {
  readonly topics: readonly string[]
}

/**
 * Kafka's range assignment: of each topic, the subscribed members in their order get consecutive partitions, the first
 * ones one more where it does not divide. Partition p of topics with equal counts and subscribers goes to one member.
 * Source: `org.apache.kafka.clients.consumer.RangeAssignor`.
 */
export function rangeAssignment<M extends Subscriber>(
  members: readonly M[],
  partitionsOf: (topic: string) => number,
): Map<string, { readonly at: TopicPartition; readonly member: M }> {
  const target = new Map<string, { at: TopicPartition; member: M }>()
  for (const topic of new Set(members.flatMap(member => member.topics))) {
    const subscribed = members.filter(member => member.topics.includes(topic))
    const partitions = partitionsOf(topic)
    const share = Math.floor(partitions / subscribed.length)
    const larger = partitions % subscribed.length
    let partition = 0
    subscribed.forEach((member, index) => {
      const end = partition + share + (index < larger ? 1 : 0)
      for (; partition < end; partition++)
        target.set(partitionId({ topic, partition }), { at: { topic, partition }, member })
    })
  }
  return target
}
