import type { Column } from '../model/column.js'
import { formatDuration } from '../model/duration.js'
import { closedTable, openTable, siblingName } from '../model/relation-names.js'
import { type CoarserView, coarserViews } from './coarser-views.js'
import { graphOf } from './graph.js'
import { labelOf } from './label.js'
import {
  changelogTopic,
  deadLetterTopic,
  groupOf,
  progressTopic,
  repartitionTopic,
  rowsTopic,
  warehouseTable,
} from './names.js'
import type { AggregateNode, ErrorPolicy, Node, ReduceNode, Topology, WarehouseSinkNode } from './node.js'
import { type PartitionPlan, type Partitions, partitionPlan } from './partitions.js'
import { type QuantileView, quantileView } from './quantile-views.js'
import { keyShape, tableShape, windowOf } from './shape.js'
import { combinable, type SubTopology, subTopologies } from './sub-topologies.js'
import { columnOf, rowKey, warehouseColumns } from './warehouse-columns.js'

/** A node of a sub-topology as drawn. Labels are unique within the topology. */
export interface DescribedNode {
  readonly label: string
  readonly type: 'source' | 'processor' | 'sink'
  /** Topics that a source reads or a sink writes. */
  readonly topics: readonly string[]
  /** Stores that a processor keeps. */
  readonly stores: readonly string[]
  /** Labels of the nodes that it passes records to, and of those that it gets them from. */
  readonly successors: readonly string[]
  readonly predecessors: readonly string[]
}

export interface DescribedSubTopology {
  readonly id: number
  /** Sources first, then processors, then sinks, each in topological order. */
  readonly nodes: readonly DescribedNode[]
  /** One task a partition. */
  readonly tasks: Partitions
}

/** A column of a key or a row of measures: a type, or `other`. */
export interface DescribedField {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
}

export interface DescribedStore {
  readonly name: string
  readonly changelog: string
  /** `tumbling '1 minute', grace '30 seconds'`, or `global`. */
  readonly window: string
  readonly emit: 'updates' | 'final'
  /**
   * How records reach it: `combined` into partials before the repartition, `raw` (each record through the repartition),
   * or `local` (no repartition on the way).
   */
  readonly records: 'combined' | 'raw' | 'local'
  readonly key: readonly DescribedField[]
  readonly measures: readonly DescribedField[]
}

export interface DescribedTopic {
  readonly name: string
  readonly purpose: 'repartition' | 'changelog' | 'rows' | 'progress' | 'dead letters'
  readonly partitions: Partitions
}

export interface DescribedTable {
  readonly name: string
  readonly columns: readonly Column[]
  readonly key: readonly string[]
  readonly sortKey: readonly string[]
  readonly distKey?: string
  readonly freshness: string
  /** Where the rows of open and of closed windows stand, when the table is a view over both. */
  readonly split?: { readonly open: string; readonly closed: string }
  readonly views?: readonly DescribedView[]
  readonly quantiles?: QuantileView
}

/** A view that sums the windows of a table up to longer ones. */
export interface DescribedView extends Omit<CoarserView, 'size'> {
  /** Length of its windows. */
  readonly size: string
}

/** All that `describe` says of a topology; the JSON format is this object. */
export interface Description {
  readonly topology: string
  readonly group: string
  readonly onError: ErrorPolicy
  readonly subTopologies: readonly DescribedSubTopology[]
  readonly stores: readonly DescribedStore[]
  readonly internalTopics: readonly DescribedTopic[]
  readonly tables: readonly DescribedTable[]
  /** Largest number of processes that have work: more of them than partitions of any topic would idle. */
  readonly processes: Partitions
}

export interface DescribeOptions {
  readonly namespace?: string
  /** Partition counts of source topics, where they are known. */
  readonly partitions?: ReadonlyMap<string, number>
}

/** Describes a sound topology, without a broker. */
export function describe(topology: Topology, options: DescribeOptions = {}): Description {
  const group = groupOf(topology, options.namespace)
  const parts = subTopologies(topology)
  const { nodes } = graphOf(topology)
  const plan = partitionPlan(parts, options.partitions)
  const tables = nodes.filter(node => node.kind === 'to-warehouse')
  return {
    topology: topology.name,
    group,
    onError: topology.options.onError,
    subTopologies: parts.map(part => ({
      id: part.id,
      nodes: drawn(topology, group, part, options.namespace),
      tasks: plan.tasks.get(part.source) as Partitions,
    })),
    stores: nodes.filter(isStateful).map(node => describedStore(group, node)),
    internalTopics: internalTopics(group, parts, plan),
    tables: tables.map(node => describedTable(node, options.namespace)),
    processes: plan.processes,
  }
}

function isStateful(node: Node): node is AggregateNode | ReduceNode {
  return node.kind === 'aggregate' || node.kind === 'reduce'
}

/** The aggregates that combine records before a repartition. */
function combinedAt(topology: Topology, node: Node): readonly AggregateNode[] {
  if (node.kind !== 'repartition') return []
  return graphOf(topology)
    .nodes.filter(one => one.kind === 'aggregate')
    .filter(one => combinable(node, one))
}

interface Edge {
  readonly from: string
  readonly to: string
}

/** The nodes of a sub-topology with the steps that the graph does not hold: combining, and the reading of internal topics. */
function drawn(topology: Topology, group: string, part: SubTopology, namespace?: string): readonly DescribedNode[] {
  const graph = graphOf(topology)
  const label = (node: Node) => labelOf(graph, node)
  const nodes: Pick<DescribedNode, 'label' | 'type' | 'topics' | 'stores'>[] = []
  const edges: Edge[] = []
  const add = (name: string, type: DescribedNode['type'], topics: readonly string[], stores: readonly string[] = []) =>
    nodes.push({ label: name, type, topics, stores })

  const source = part.source.kind === 'source' ? label(part.source) : `${label(part.source)}-source`
  const entry = (node: Node) => (node === part.source ? source : label(node))
  if (part.source.kind === 'to-warehouse') {
    add(source, 'source', [rowsTopic(group, part.source)])
    const filling = `warehouse-${warehouseTable(part.source.table, namespace)}`
    add(filling, 'processor', [])
    edges.push({ from: source, to: filling })
  } else if (part.source.kind === 'repartition') add(source, 'source', [repartitionTopic(group, part.source)])
  else add(source, 'source', [part.source.topic])

  for (const node of part.nodes) {
    add(label(node), 'processor', [], isStateful(node) ? [node.name] : [])
    edges.push({ from: entry(node.inputs[0] as Node), to: label(node) })
  }
  for (const node of part.outputs) {
    const combining = combinedAt(topology, node)
    for (const aggregate of combining) {
      add(`combine-${aggregate.name}`, 'processor', [])
      edges.push({ from: entry(node.inputs[0] as Node), to: `combine-${aggregate.name}` })
      edges.push({ from: `combine-${aggregate.name}`, to: label(node) })
    }
    if (combining.length < Math.max(1, graph.readers.get(node)?.length ?? 0)) {
      edges.push({ from: entry(node.inputs[0] as Node), to: label(node) })
    }
  }
  for (const node of part.outputs) {
    if (node.kind === 'to-topic') add(label(node), 'sink', [node.topic])
    else if (node.kind === 'repartition') add(label(node), 'sink', [repartitionTopic(group, node)])
    else add(label(node), 'sink', [rowsTopic(group, node)])
  }
  return nodes.map(node => ({
    ...node,
    successors: edges.filter(edge => edge.from === node.label).map(edge => edge.to),
    predecessors: edges.filter(edge => edge.to === node.label).map(edge => edge.from),
  }))
}

function describedStore(group: string, node: AggregateNode | ReduceNode): DescribedStore {
  const { measures = [] } = tableShape(node)
  return {
    name: node.name,
    changelog: changelogTopic(group, node),
    window: describedWindow(node),
    emit: node.emit,
    records: recordPath(node),
    key: (keyShape(node) ?? []).map(({ name, type, nullable }) => ({ name, type, nullable })),
    measures: measures.map(({ name, type, nullable }) => ({ name, type, nullable })),
  }
}

function recordPath(node: AggregateNode | ReduceNode): DescribedStore['records'] {
  let upstream: Node | undefined = node.inputs[0]
  while (upstream !== undefined && upstream.kind !== 'repartition') upstream = upstream.inputs[0]
  if (upstream === undefined) return 'local'
  return combinable(upstream, node) ? 'combined' : 'raw'
}

function describedWindow(node: AggregateNode | ReduceNode): string {
  const window = windowOf(node)
  if (window === undefined || window.type === 'global') return 'global'
  const { type, size, advance, grace } = window
  const step = type === 'hopping' ? `, advance '${formatDuration(advance)}'` : ''
  return `${type} '${formatDuration(size)}'${step}, grace '${formatDuration(grace)}'`
}

function internalTopics(
  group: string,
  parts: readonly SubTopology[],
  { tasks, widest }: PartitionPlan,
): readonly DescribedTopic[] {
  const topics: DescribedTopic[] = []
  for (const part of parts) {
    const partitions = tasks.get(part.source) as Partitions
    if (part.source.kind === 'repartition') {
      topics.push({ name: repartitionTopic(group, part.source), purpose: 'repartition', partitions })
    }
    if (part.source.kind === 'to-warehouse') {
      topics.push({ name: rowsTopic(group, part.source), purpose: 'rows', partitions })
    }
    for (const node of part.nodes.filter(isStateful)) {
      topics.push({ name: changelogTopic(group, node), purpose: 'changelog', partitions })
    }
  }
  topics.push({ name: progressTopic(group), purpose: 'progress', partitions: { expression: '1', count: 1 } })
  topics.push({ name: deadLetterTopic(group), purpose: 'dead letters', partitions: widest })
  return topics
}

function describedTable(node: WarehouseSinkNode, namespace?: string): DescribedTable {
  const columns = warehouseColumns(node) ?? []
  const renamed = (name: string) => node.rename[name] ?? name
  const name = warehouseTable(node.table, namespace)
  const quantiles = quantileView(node)
  const views = coarserViews(node).map(view => ({
    ...view,
    name: siblingName(name, view.name),
    size: formatDuration(view.size),
  }))
  return {
    name,
    columns: columns.map(columnOf),
    key: rowKey(columns).map(column => column.name),
    sortKey: node.sortKey.map(renamed),
    ...(node.distKey !== undefined && { distKey: renamed(node.distKey) }),
    freshness: formatDuration(node.freshness),
    ...(node.split && { split: { open: openTable(name), closed: closedTable(name) } }),
    ...(views.length > 0 && { views }),
    ...(quantiles && { quantiles: { ...quantiles, name: siblingName(name, quantiles.name) } }),
  }
}
