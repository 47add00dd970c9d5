import type { Graph } from '../graph.js'
import { positionOf, titleOf } from '../label.js'
import { changelogTopic, repartitionTopic, rowsTopic, topicNameProblem } from '../names.js'
import type { Node, Topology } from '../node.js'
import type { Problem } from '../problem.js'

/** Identifiers of PostgreSQL have 63 bytes; Redshift allows more. */
const LONGEST_IDENTIFIER = 63

/** Why a warehouse would refuse this unquoted name, or fold its letters; undefined for a good one. */
export function identifierProblem(name: string): string | undefined {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) return 'write lower-case letters, digits and "_", and no digit first'
  if (name.length > LONGEST_IDENTIFIER) return `write at most ${LONGEST_IDENTIFIER} characters, it has ${name.length}`
  return undefined
}

/** What a node's name names, and the name of its internal topic. */
function persisted(group: string, node: Node): { name: string; what: string; topic: string } | undefined {
  switch (node.kind) {
    case 'repartition':
      return { name: node.name, what: 'a repartition topic', topic: repartitionTopic(group, node) }
    case 'aggregate':
    case 'reduce':
      return { name: node.name, what: 'a store and its changelog topic', topic: changelogTopic(group, node) }
    case 'to-warehouse':
      return { name: node.table, what: 'a warehouse table and its rows topic', topic: rowsTopic(group, node) }
    default:
      return undefined
  }
}

function illegalTopic(title: string, topic: string): Problem[] {
  const problem = topicNameProblem(topic)
  if (problem === undefined) return []
  return [
    { code: 'ILLEGAL_NAME', node: title, message: `Kafka refuses the topic name "${topic}": ${problem}. Rename it.` },
  ]
}

/** Names that Kafka or a warehouse would refuse. */
export function legalNames(topology: Topology, graph: Graph): readonly Problem[] {
  const own = illegalTopic(`topology "${topology.name}"`, topology.name)
  if (own.length > 0) return own
  return graph.nodes.flatMap((node): Problem[] => {
    const title = titleOf(graph, node)
    if (node.kind === 'source' || node.kind === 'to-topic') return illegalTopic(title, node.topic)
    const named = persisted(topology.name, node)
    if (named === undefined) return []
    if (named.name === '') {
      return [{ code: 'ILLEGAL_NAME', node: title, message: `It has no name, but names ${named.what}. Name it.` }]
    }
    if (node.kind !== 'to-warehouse') return illegalTopic(title, named.topic)
    const parts = node.table.split('.')
    const problem = parts.length > 2 ? 'write "table" or "schema.table"' : parts.map(identifierProblem).find(Boolean)
    if (problem === undefined) return illegalTopic(title, named.topic)
    return [{ code: 'ILLEGAL_NAME', node: title, message: `"${node.table}" is no table name: ${problem}.` }]
  })
}

/** Names that persist and are used more than once: two operators would share a topic or a store. */
export function uniqueNames(_topology: Topology, graph: Graph): readonly Problem[] {
  const users = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    const named = persisted('', node)
    if (named === undefined) continue
    const scope = node.kind === 'to-warehouse' ? named.topic : `operator ${named.name}`
    users.set(scope, [...(users.get(scope) ?? []), node])
  }
  return [...users.values()].flatMap((nodes): Problem[] => {
    const [first, second] = nodes
    if (first === undefined || second === undefined) return []
    const { name, what } = persisted('', first) as { name: string; what: string }
    const positions = nodes.map(node => positionOf(graph, node))
    const times = nodes.length === 2 ? 'twice' : `${nodes.length} times`
    const where = `${positions.slice(0, -1).join(', ')} and ${positions.at(-1)}`
    const again = first.kind === second.kind ? 'If they are meant to be one, hold it in a constant and use that.' : ''
    const message = `The name "${name}" is used ${times} (operators ${where}). It names ${what}; rename one. ${again}`
    return [{ code: 'DUPLICATE_NAME', node: titleOf(graph, second), message: message.trimEnd() }]
  })
}

/** Topics that are read by more than one `fromTopic`: two lanes would hold the same partition. */
export function uniqueSources(_topology: Topology, graph: Graph): readonly Problem[] {
  const first = new Map<string, Node>()
  return graph.nodes.flatMap((node): Problem[] => {
    if (node.kind !== 'source') return []
    const other = first.get(node.topic)
    if (other === undefined) {
      first.set(node.topic, node)
      return []
    }
    const message = `The topic "${node.topic}" is read by two fromTopic(...) (operators ${positionOf(graph, other)} and ${positionOf(graph, node)}). Hold one of them in a constant, pick the fields of both, and use it in each flow.`
    return [{ code: 'DUPLICATE_TOPIC', node: titleOf(graph, node), message }]
  })
}

/** Partition counts that no topic can have. */
export function partitionCounts(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    if (node.kind !== 'repartition' || node.partitions === undefined) return []
    if (Number.isSafeInteger(node.partitions) && node.partitions >= 1) return []
    const message = `A topic cannot have ${node.partitions} partitions. Give a whole number above zero, or leave it out for that of the topics upstream.`
    return [{ code: 'PARTITIONS', node: titleOf(graph, node), message }]
  })
}
