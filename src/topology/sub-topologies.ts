import { graphOf } from './graph.js'
import type {
  AggregateNode,
  Node,
  ReduceNode,
  RepartitionNode,
  SourceNode,
  TopicSinkNode,
  Topology,
  WarehouseSinkNode,
} from './node.js'
import { resolveMeasure, valueShape } from './shape.js'

/** What a sub-topology reads: a source topic, a repartition topic, or the rows topic of a warehouse table. */
export type SubTopologySource = SourceNode | RepartitionNode | WarehouseSinkNode

/** What a sub-topology writes: a repartition topic, an output topic, or the rows topic of a warehouse table. */
export type SubTopologyOutput = RepartitionNode | TopicSinkNode | WarehouseSinkNode

/** A part of a topology that runs within one process; a task is one partition of its source. */
export interface SubTopology {
  /** Counted from 0 in topological order: a sub-topology comes after the one that writes what it reads. */
  readonly id: number
  /** The node whose topic it reads. A repartition or a warehouse sink is the output of another sub-topology. */
  readonly source: SubTopologySource
  /** What stands between source and outputs, in topological order; neither source nor outputs are among them. */
  readonly nodes: readonly Exclude<Node, SubTopologySource | TopicSinkNode>[]
  /** What it writes, in topological order. Empty where it fills a warehouse table from the rows topic. */
  readonly outputs: readonly SubTopologyOutput[]
}

interface Part {
  readonly source: SubTopologySource
  readonly nodes: Exclude<Node, SubTopologySource | TopicSinkNode>[]
  readonly outputs: SubTopologyOutput[]
}

/** Cuts a topology at its repartitions and at its warehouse tables. */
export function subTopologies(topology: Pick<Topology, 'outputs'>): readonly SubTopology[] {
  const parts: Part[] = []
  const partOf = new Map<Node, Part>()
  for (const node of graphOf(topology).nodes) {
    const upstream = partOf.get(node.inputs[0] as Node)
    switch (node.kind) {
      case 'source':
      case 'repartition':
      case 'to-warehouse': {
        if (node.kind !== 'source') upstream?.outputs.push(node)
        const part = { source: node, nodes: [], outputs: [] }
        parts.push(part)
        partOf.set(node, part)
        break
      }
      case 'to-topic':
        upstream?.outputs.push(node)
        break
      default:
        if (upstream) {
          upstream.nodes.push(node)
          partOf.set(node, upstream)
        }
    }
  }
  return parts.map((part, id) => ({ id, ...part }))
}

/**
 * True when an aggregate's records can be combined before the shuffle: its window stands directly behind the repartition
 * and all of its measures merge. Whoever else reads the repartition still needs the records themselves.
 */
export function combinable(repartition: RepartitionNode, node: AggregateNode | ReduceNode): boolean {
  const window = node.inputs[0]
  if (node.kind !== 'aggregate' || window?.kind !== 'window' || window.inputs[0] !== repartition) return false
  const shape = valueShape(window)
  return Object.values(node.measures).every(measure => resolveMeasure(measure, shape).mergeable)
}
