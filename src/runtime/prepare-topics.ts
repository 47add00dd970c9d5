import { MillraceError } from '../model/errors.js'
import type { Log, TopicDescription } from '../ports/log.js'
import type { Topology } from '../topology/node.js'
import { subTopologies } from '../topology/sub-topologies.js'
import { planTopics, type TopicPlan } from './topic-plan.js'

/**
 * Finds the source topics and creates what is missing of the others.
 * @throws MillraceError MISSING_TOPIC naming all source topics that do not exist; TOPIC_MISMATCH naming internal topics
 * that have another number of partitions than the topology needs.
 */
export async function prepareTopics(
  log: Log,
  topology: Topology,
  namespace: string | undefined,
): Promise<{ plan: TopicPlan; topics: ReadonlyMap<string, TopicDescription> }> {
  const sources = subTopologies(topology).flatMap(({ source }) => (source.kind === 'source' ? [source.topic] : []))
  const found = await log.describeTopics(sources)
  const missing = sources.filter(topic => !found.has(topic))
  if (missing.length > 0) {
    throw new MillraceError(
      'MISSING_TOPIC',
      `Topology "${topology.name}" reads ${missing.map(topic => `"${topic}"`).join(', ')}, which ${log.name} does not have. Create ${missing.length === 1 ? 'it' : 'them'}, or load data with "millrace load TOPIC FILE".`,
    )
  }
  const topics = planTopics(topology, new Map([...found.values()].map(t => [t.name, t.partitions])), namespace)
  const wanted = [...topics.internal, ...topics.outputs]
  const existing = await log.describeTopics(wanted.map(topic => topic.name))
  const wrong = topics.internal.filter(
    ({ name, partitions }) => (existing.get(name)?.partitions ?? partitions) !== partitions,
  )
  if (wrong.length > 0) {
    const each = wrong.map(
      t => `"${t.name}" has ${existing.get(t.name)?.partitions} partitions and needs ${t.partitions}`,
    )
    throw new MillraceError(
      'TOPIC_MISMATCH',
      `${each.join('; ')}. The partitions of a source changed, or those of a repartition. Put the old count into repartition(…, { partitions }), or start under another name or namespace.`,
    )
  }
  await log.createTopics(wanted.filter(topic => !existing.has(topic.name)))
  return { plan: topics, topics: await log.describeTopics([...sources, ...wanted.map(topic => topic.name)]) }
}
