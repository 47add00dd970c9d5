import { MillraceError } from '../model/errors.js'
import type { Log, TopicDescription, TopicSpec } from '../ports/log.js'
import type { Topology } from '../topology/node.js'
import { subTopologies } from '../topology/sub-topologies.js'
import { topicMismatch } from './topic-mismatch.js'
import { planTopics, type TopicPlan } from './topic-plan.js'

/** The source topics of a topology, in topological order. */
export function sourceTopics(topology: Topology): readonly string[] {
  return subTopologies(topology).flatMap(({ source }) => (source.kind === 'source' ? [source.topic] : []))
}

/** What a topology needs of a log, and what is there. */
export interface TopicSurvey {
  readonly plan: TopicPlan
  /** Topics that exist, of those that the topology reads or writes. */
  readonly existing: ReadonlyMap<string, TopicDescription>
  readonly missing: readonly TopicSpec[]
  /** TOPIC_MISMATCH with the remedy where internal topics have other numbers of partitions than the topology needs. */
  readonly mismatch: MillraceError | undefined
}

/**
 * Compares the topics of a log with those that a topology needs. Changes nothing.
 * @param counts partitions of source topics that do not exist yet.
 * @throws MillraceError MISSING_TOPIC naming all source topics that neither exist nor are in `counts`.
 */
export async function surveyTopics(
  log: Log,
  topology: Topology,
  namespace: string | undefined,
  counts: ReadonlyMap<string, number> = new Map(),
): Promise<TopicSurvey> {
  const sources = sourceTopics(topology)
  const found = await log.describeTopics(sources)
  const partitions = new Map(counts)
  for (const { name, partitions: count } of found.values()) partitions.set(name, count)
  const unknown = sources.filter(topic => !partitions.has(topic))
  if (unknown.length > 0) {
    throw new MillraceError(
      'MISSING_TOPIC',
      `Topology "${topology.name}" reads ${unknown.map(topic => `"${topic}"`).join(', ')}, which ${log.name} does not have, or does not let this user see. Create ${unknown.length === 1 ? 'it' : 'them'}, or load data with "millrace load TOPIC FILE".`,
    )
  }
  const plan = planTopics(topology, partitions, namespace)
  const wanted = [...plan.internal, ...plan.outputs]
  const existing = new Map([...found, ...(await log.describeTopics(wanted.map(topic => topic.name)))])
  return {
    plan,
    existing,
    missing: wanted.filter(topic => !existing.has(topic.name)),
    mismatch: topicMismatch(topology, plan, existing),
  }
}

/**
 * Finds the source topics and creates what is missing of the others. Dead letters may have any number of partitions.
 * @throws MillraceError MISSING_TOPIC naming all source topics that do not exist; TOPIC_MISMATCH naming internal topics
 * that have another number of partitions than the topology needs; LogError where topics may not be created.
 */
export async function prepareTopics(
  log: Log,
  topology: Topology,
  namespace: string | undefined,
): Promise<{ plan: TopicPlan; topics: ReadonlyMap<string, TopicDescription> }> {
  const { plan, missing, mismatch } = await surveyTopics(log, topology, namespace)
  if (mismatch) throw mismatch
  await log.createTopics(missing)
  const topics = await log.describeTopics([
    ...sourceTopics(topology),
    ...plan.internal.map(topic => topic.name),
    ...plan.outputs.map(topic => topic.name),
  ])
  const letters = topics.get(plan.deadLetters)?.partitions
  const partitions =
    letters === undefined ? plan.partitions : new Map([...plan.partitions, [plan.deadLetters, letters]])
  return { plan: { ...plan, partitions }, topics }
}
