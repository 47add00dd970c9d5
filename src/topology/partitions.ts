import type { Node } from './node.js'
import type { SubTopology } from './sub-topologies.js'

/** The largest of some partition counts, of which those of source topics may be known to the broker only. */
export interface Partitions {
  /** `8`, `partitions(quest-events)` or `max(12, partitions(quest-events))`. */
  readonly expression: string
  /** The number, where it is known. */
  readonly count?: number
}

/** Topics of unknown counts, and the largest known count, 0 for none. */
interface Bound {
  readonly topics: readonly string[]
  readonly known: number
}

function largest(bounds: readonly Bound[]): Bound {
  return {
    topics: [...new Set(bounds.flatMap(bound => bound.topics))],
    known: Math.max(0, ...bounds.map(bound => bound.known)),
  }
}

function shown({ topics, known }: Bound): Partitions {
  const terms = [...(known > 0 ? [String(known)] : []), ...topics.map(topic => `partitions(${topic})`)]
  const expression = terms.length === 1 ? (terms[0] as string) : `max(${terms.join(', ')})`
  return topics.length === 0 ? { expression, count: known } : { expression }
}

/** Partition counts of a topology. */
export interface PartitionPlan {
  /** Partitions of each sub-topology's source topic, by its node: as many tasks has the sub-topology. */
  readonly tasks: ReadonlyMap<Node, Partitions>
  /** Those of the widest source topic: of the dead letters and of output topics. */
  readonly widest: Partitions
  /**
   * The largest number of processes that have work. The range assignor gives partition i of all topics to the same
   * member, so that members beyond the largest partition count get nothing.
   */
  readonly processes: Partitions
}

/**
 * A repartition topic has as many partitions as it says, else as many as what the sub-topology reads that writes it, as in
 * Kafka Streams (`RepartitionTopics#computePartitionCount`); so has a rows topic.
 */
export function partitionPlan(
  parts: readonly SubTopology[],
  known: ReadonlyMap<string, number> = new Map(),
): PartitionPlan {
  const ofTopic = (topic: string): Bound => {
    const count = known.get(topic)
    return count === undefined ? { topics: [topic], known: 0 } : { topics: [], known: count }
  }
  const widest = largest(parts.flatMap(({ source }) => (source.kind === 'source' ? [ofTopic(source.topic)] : [])))
  const bounds = new Map<Node, Bound>()
  for (const { source } of parts) {
    if (source.kind === 'source') bounds.set(source, ofTopic(source.topic))
    else if (source.kind === 'repartition' && source.partitions !== undefined) {
      bounds.set(source, { topics: [], known: source.partitions })
    } else {
      const writer = parts.find(part => part.outputs.includes(source))
      bounds.set(source, bounds.get(writer?.source as Node) as Bound)
    }
  }
  return {
    tasks: new Map([...bounds].map(([node, bound]) => [node, shown(bound)])),
    widest: shown(widest),
    processes: shown(largest([...bounds.values()])),
  }
}
