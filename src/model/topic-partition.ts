/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A place in a partition: the offset of the next record to read. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** A key for maps: `topic/partition`. */
export function partitionId(at: TopicPartition): string {
  return `${at.topic}/${at.partition}`
}
