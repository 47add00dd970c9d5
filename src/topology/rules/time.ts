import type { Graph } from '../graph.js'
import { positionOf, titleOf } from '../label.js'
import type { AggregateNode, Node, ReduceNode, Topology } from '../node.js'
import type { Problem } from '../problem.js'
import { tableOf, windowOf } from '../shape.js'

/** The nearest table upstream of a node. */
function tableAbove(node: Node): AggregateNode | ReduceNode | undefined {
  const input = node.inputs[0]
  if (input === undefined) return undefined
  return tableOf(input) ?? tableAbove(input)
}

/** Updates of a table that go into another window: each update would be counted as one more record. */
export function updatesIntoWindows(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    const table = node.kind === 'window' ? tableAbove(node) : undefined
    if (table === undefined || table.emit === 'final') return []
    const reader = graph.readers.get(node)?.[0] ?? node
    const message = `It aggregates the updates of "${table.name}" (operator ${positionOf(graph, table)}), so that a row would count again at each update. Give "${table.name}" { emit: 'final' }.`
    return [{ code: 'UPDATES_INTO_WINDOW', node: titleOf(graph, reader), message }]
  })
}

/** Final rows of a window that never closes. */
export function finalRows(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    if (node.kind !== 'aggregate' && node.kind !== 'reduce') return []
    if (node.emit !== 'final' || windowOf(node)?.type !== 'global') return []
    const message = `It emits final rows of globalWindow(), which never closes, so that no row would ever go on. Emit 'updates', or use tumbling(...).`
    return [{ code: 'NEVER_FINAL', node: titleOf(graph, node), message }]
  })
}
