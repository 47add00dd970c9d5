import type { Node, Topology } from './node.js'

/** All nodes of a topology, and who reads whom. */
export interface Graph {
  /** Inputs before the nodes that read them; the order depends on the declaration alone. */
  readonly nodes: readonly Node[]
  /** Nodes that read a node, in the order of `nodes`. */
  readonly readers: ReadonlyMap<Node, readonly Node[]>
}

/** Walks back from the outputs. A node that is reached twice is one node. */
export function graphOf(topology: Pick<Topology, 'outputs'>): Graph {
  const readers = new Map<Node, Node[]>()
  const visit = (node: Node): void => {
    if (readers.has(node)) return
    for (const input of node.inputs) visit(input)
    readers.set(node, [])
  }
  for (const output of topology.outputs) visit(output)
  const nodes = [...readers.keys()]
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) readers.get(input)?.push(node)
  }
  return { nodes, readers }
}
