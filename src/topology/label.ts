import type { Graph } from './graph.js'
import type { Node } from './node.js'

/** The name that a node was given, or what it reads or writes; undefined for an operator without a name. */
function givenName(node: Node): string | undefined {
  switch (node.kind) {
    case 'source':
    case 'to-topic':
      return node.topic
    case 'to-warehouse':
      return node.table
    case 'repartition':
    case 'aggregate':
    case 'reduce':
      return node.name
    case 'rx':
      return node.name
    default:
      return undefined
  }
}

/** The operator of the DSL that makes nodes of this kind. */
export function operatorOf(node: Node): string {
  switch (node.kind) {
    case 'source':
      return 'fromTopic'
    case 'map-values':
      return 'mapValues'
    case 'flat-map':
      return 'flatMap'
    case 'to-stream':
      return 'toStream'
    case 'to-topic':
      return 'to(topic)'
    case 'to-warehouse':
      return 'to(warehouse)'
    default:
      return node.kind
  }
}

/** Place of a node in the graph, counted from 1: "operator 3". */
export function positionOf(graph: Graph, node: Node): number {
  return graph.nodes.indexOf(node) + 1
}

/** A node in a sentence: `aggregate "quest-minute" (operator 4)`. */
export function titleOf(graph: Graph, node: Node): string {
  const name = givenName(node)
  return `${operatorOf(node)}${name === undefined ? '' : ` "${name}"`} (operator ${positionOf(graph, node)})`
}

/** A node in a drawing, one word: `aggregate-quest-minute`, or for an operator without a name `filter-2`. */
export function labelOf(graph: Graph, node: Node): string {
  return `${node.kind}-${givenName(node) ?? positionOf(graph, node)}`
}
