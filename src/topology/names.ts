import type { AggregateNode, ReduceNode, RepartitionNode, Topology, WarehouseSinkNode } from './node.js'

/** The consumer group of a topology, which is also the prefix of its internal topics: `<namespace>.<name>`. */
export function groupOf(topology: Pick<Topology, 'name'>, namespace?: string): string {
  return namespace ? `${namespace}.${topology.name}` : topology.name
}

/** The topic that a repartition writes and reads. */
export function repartitionTopic(group: string, node: Pick<RepartitionNode, 'name'>): string {
  return `${group}-${node.name}-repartition`
}

/** The compacted topic that holds a table's state. */
export function changelogTopic(group: string, node: Pick<AggregateNode | ReduceNode, 'name'>): string {
  return `${group}-${node.name}-changelog`
}

/** The compacted topic that holds a warehouse table's rows; `analytics.quest_minute` gives `analytics-quest_minute`. */
export function rowsTopic(group: string, node: Pick<WarehouseSinkNode, 'table'>): string {
  return `${group}-${node.table.replaceAll('.', '-')}-rows`
}

/** Records that were set aside, with their original bytes. */
export function deadLetterTopic(group: string): string {
  return `${group}-dead-letters`
}

/** The compacted topic of offsets, lane times and counters. */
export function progressTopic(group: string): string {
  return `${group}-progress`
}

/**
 * The topic whose partitions are the permits for sessions in the warehouse: `<namespace>.millrace-warehouse-permits`, or
 * without the namespace. It holds no records.
 */
export function warehousePermitsTopic(namespace?: string): string {
  return namespace ? `${namespace}.${WAREHOUSE_PERMITS}` : WAREHOUSE_PERMITS
}

/**
 * The group in which workers that run the same topologies share permits: the topic's name, `-` and the topologies' names in
 * order, joined by `+`. A permit is of use only to a worker that runs the topology whose tables fall to it.
 */
export function warehousePermitsGroup(topologies: readonly string[], namespace?: string): string {
  return `${warehousePermitsTopic(namespace)}-${[...topologies].sort().join('+')}`
}

/**
 * Where a warehouse table stands: without a namespace as it is written, else in a schema of the namespace's own. As dbt's
 * `generate_schema_name` has it, `quest_minute` is in `<namespace>`, and `analytics.quest_minute` in `<namespace>_analytics`.
 */
export function warehouseTable(table: string, namespace?: string): string {
  if (!namespace) return table
  const schema = unquotedName(namespace)
  const dot = table.indexOf('.')
  return dot < 0 ? `${schema}.${table}` : `${schema}_${table}`
}

/** A namespace as an identifier that needs no quotes in SQL: lower-case, `_` for what an identifier does not take. */
function unquotedName(namespace: string): string {
  const name = namespace.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
  return /^[0-9]/.test(name) ? `_${name}` : name
}

const WAREHOUSE_PERMITS = 'millrace-warehouse-permits'

/** Kafka's limit. Source: `org.apache.kafka.common.internals.Topic#MAX_NAME_LENGTH`. */
const LONGEST = 249

/** Why Kafka would refuse a topic of this name; undefined for a legal name. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return `"${name}" is not a topic name`
  if (name.length > LONGEST) return `it has ${name.length} characters, and Kafka takes ${LONGEST}`
  const illegal = /[^a-zA-Z0-9._-]/.exec(name)
  return illegal ? `it contains "${illegal[0]}", and Kafka takes letters, digits, ".", "_" and "-"` : undefined
}
