import type { TopicSpec } from '../ports/log.js'
import {
  changelogTopic,
  deadLetterTopic,
  groupOf,
  progressTopic,
  repartitionTopic,
  rowsTopic,
} from '../topology/names.js'
import type { Topology } from '../topology/node.js'
import { partitionPlan } from '../topology/partitions.js'
import { type SubTopology, subTopologies } from '../topology/sub-topologies.js'
import { PROGRESS_TOPIC_CONFIG } from './progress.js'

/** Names and partition counts of a topology's topics in one group. */
export interface TopicPlan {
  readonly group: string
  readonly namespace: string | undefined
  /** Partitions of every topic that it reads or writes. */
  readonly partitions: ReadonlyMap<string, number>
  readonly internal: readonly TopicSpec[]
  /** Topics of `to(topic(...))`, created where they are missing. */
  readonly outputs: readonly TopicSpec[]
  readonly progress: string
  readonly deadLetters: string
}

/** Repartition topics are read within days or never: 7 days, counted from when a record is sent. */
const REPARTITION_CONFIG = { 'cleanup.policy': 'delete', 'retention.ms': String(7 * 86_400_000) }
const COMPACTED = { 'cleanup.policy': 'compact' }

/**
 * A record as large as its source topic takes grows by an envelope or by the headers of a dead letter, so internal topics
 * take more than Kafka's default of 1 MiB: as much as every provider allows.
 */
const LARGEST_RECORD = { 'max.message.bytes': String(8 * 1024 * 1024) }

/** Records that keep their event time: Kafka would delete old ones at once, since it counts from a record's timestamp. */
const KEPT = { 'retention.ms': '-1' }

/** Plans the topics of a topology. `sources` are the partition counts of all its source topics. */
export function planTopics(topology: Topology, sources: ReadonlyMap<string, number>, namespace?: string): TopicPlan {
  const group = groupOf(topology, namespace)
  const partitions = new Map(sources)
  const internal: TopicSpec[] = []
  const parts = subTopologies(topology)
  const counts = partitionPlan(parts, sources)
  const widest = counts.widest.count as number
  const add = (name: string, count: number, config: Readonly<Record<string, string>>): void => {
    partitions.set(name, count)
    internal.push({ name, partitions: count, config: { ...config, ...LARGEST_RECORD } })
  }
  const outputs = new Map<string, TopicSpec>()
  for (const sub of parts) {
    const count = counts.tasks.get(sub.source)?.count as number
    if (sub.source.kind === 'repartition') add(inputTopic(group, sub), count, REPARTITION_CONFIG)
    if (sub.source.kind === 'to-warehouse') add(inputTopic(group, sub), count, COMPACTED)
    for (const node of sub.nodes) {
      if (node.kind === 'aggregate' || node.kind === 'reduce') add(changelogTopic(group, node), count, COMPACTED)
    }
    for (const node of sub.outputs) {
      if (node.kind === 'to-topic') outputs.set(node.topic, { name: node.topic, partitions: widest, config: KEPT })
    }
  }
  const deadLetters = deadLetterTopic(group)
  const progress = progressTopic(group)
  add(deadLetters, widest, KEPT)
  add(progress, 1, PROGRESS_TOPIC_CONFIG)
  return { group, namespace, partitions, internal, outputs: [...outputs.values()], progress, deadLetters }
}

/** The topic that a sub-topology reads. */
export function inputTopic(group: string, sub: Pick<SubTopology, 'source'>): string {
  const { source } = sub
  switch (source.kind) {
    case 'source':
      return source.topic
    case 'repartition':
      return repartitionTopic(group, source)
    case 'to-warehouse':
      return rowsTopic(group, source)
    default:
      return source satisfies never
  }
}
