import { MillraceError } from '../model/errors.js'
import type { TopicDescription } from '../ports/log.js'
import { changelogTopic } from '../topology/names.js'
import type { RepartitionNode, Topology } from '../topology/node.js'
import { type SubTopology, subTopologies } from '../topology/sub-topologies.js'
import { inputTopic, type TopicPlan } from './topic-plan.js'

/**
 * TOPIC_MISMATCH where internal topics exist with other numbers of partitions than planned, naming all of them; undefined
 * where none does. The remedy keeps the state where that can be done: behind a repartition, which can go on with its old
 * number. State that is divided like a source topic cannot be kept, since the source's keys have moved.
 */
export function topicMismatch(
  topology: Topology,
  plan: TopicPlan,
  existing: ReadonlyMap<string, TopicDescription>,
): MillraceError | undefined {
  const old = new Map<string, number>()
  for (const { name, partitions } of plan.internal) {
    const found = existing.get(name)?.partitions ?? partitions
    if (found !== partitions && name !== plan.deadLetters) old.set(name, found)
  }
  if (old.size === 0) return undefined
  const parts = subTopologies(topology)
  const kept = new Map<RepartitionNode, number>()
  const lost = new Set(old.keys())
  for (const part of parts) {
    const repartition = repartitionBefore(part, parts)
    const count = repartition && old.get(inputTopic(plan.group, { source: repartition }))
    if (repartition === undefined || count === undefined) continue
    kept.set(repartition, count)
    for (const name of topicsOf(plan.group, part)) if (old.get(name) === count) lost.delete(name)
  }
  const differences = [...old].map(([name, found]) => {
    return `"${name}" has ${found} partitions and needs ${plan.partitions.get(name)}`
  })
  return new MillraceError(
    'TOPIC_MISMATCH',
    [
      `${differences.join('; ')}.`,
      'A source topic was enlarged, or the partitions of a repartition changed.',
      ...[...kept].map(([{ name }, count]) => {
        return `To go on with the old number and the state behind it, write repartition('${name}', { …, partitions: ${count} }).`
      }),
      lost.size === 0
        ? 'To take the new number, start under another --namespace or topology name, which builds the state anew.'
        : `What ${quoted(lost)} ${lost.size === 1 ? 'holds' : 'hold'} is divided by the old number and cannot be kept: start under another --namespace or topology name, which builds the state anew from the source topics.`,
    ].join(' '),
  )
}

function quoted(names: Iterable<string>): string {
  return [...names].map(name => `"${name}"`).join(', ')
}

/** The repartition that decides how many tasks a sub-topology has; undefined where its source topic does. */
function repartitionBefore(part: SubTopology, parts: readonly SubTopology[]): RepartitionNode | undefined {
  const { source } = part
  if (source.kind === 'repartition') return source
  const writer = parts.find(one => one.outputs.some(output => output === source))
  return writer && repartitionBefore(writer, parts)
}

/** Internal topics with one partition a task of this sub-topology. */
function topicsOf(group: string, part: SubTopology): readonly string[] {
  const changelogs = part.nodes.flatMap(node =>
    node.kind === 'aggregate' || node.kind === 'reduce' ? [changelogTopic(group, node)] : [],
  )
  return [inputTopic(group, part), ...changelogs]
}
