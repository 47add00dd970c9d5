import type { Graph } from '../graph.js'
import { operatorOf, positionOf, titleOf } from '../label.js'
import type { Node, Topology } from '../node.js'
import type { Problem } from '../problem.js'
import { tableOf } from '../shape.js'

/** What a node does that needs the types of its input's values; undefined where it needs none. */
function valueNeed(node: Node): string | undefined {
  switch (node.kind) {
    case 'repartition':
      return 'writes values to its topic'
    case 'reduce':
      return 'keeps values in its store'
    case 'to-topic':
      return tableOf(node) ? undefined : 'writes values to its topic'
    case 'aggregate': {
      const field = Object.values(node.measures).find(measure => typeof measure.input === 'string')?.input
      return field === undefined ? undefined : `measures the field "${String(field)}"`
    }
    default:
      return undefined
  }
}

/** What a node does that needs the types of its input's key; undefined where it needs none. */
function keyNeed(node: Node): string | undefined {
  switch (node.kind) {
    case 'repartition':
      return node.by.length === 0 ? 'sends records by their key' : undefined
    case 'aggregate':
    case 'reduce':
      return 'keeps one row a key'
    case 'to-topic':
      return tableOf(node) ? undefined : 'writes keys to its topic'
    default:
      return undefined
  }
}

/**
 * Where the value's type is lost: the nearest operator upstream (or `node` itself) without a schema; undefined where the
 * type is known. A field that does not exist loses no type here, since it is reported for what it is.
 */
function valueLoss(node: Node): Node | undefined {
  switch (node.kind) {
    case 'source':
    case 'aggregate':
      return undefined
    case 'map':
    case 'map-values':
    case 'flat-map':
    case 'rx':
      return node.value ? undefined : node
    case 'select':
      return Object.values(node.fields ?? {}).some(field => typeof field === 'string')
        ? valueLoss(node.inputs[0] as Node)
        : undefined
    default:
      return valueLoss(node.inputs[0] as Node)
  }
}

/** Where the key's type is lost, as {@link valueLoss}. A repartition with `by` makes a new key. */
function keyLoss(node: Node): Node | undefined {
  switch (node.kind) {
    case 'source':
      return undefined
    case 'repartition':
      return node.by.length === 0 ? keyLoss(node.inputs[0] as Node) : undefined
    case 'map':
    case 'flat-map':
    case 'rx':
      return node.key ? undefined : node
    default:
      return keyLoss(node.inputs[0] as Node)
  }
}

/** One problem a place of loss, at the first node that needs the type: what follows from it is not reported again. */
function breaches(
  graph: Graph,
  need: (node: Node) => string | undefined,
  loss: (node: Node) => Node | undefined,
  problem: (node: string, need: string, lost: string, operator: string) => Problem,
): readonly Problem[] {
  const reported = new Set<Node>()
  return graph.nodes.flatMap(node => {
    const what = need(node)
    const lost = what === undefined ? undefined : loss(node.inputs[0] as Node)
    if (what === undefined || lost === undefined || reported.has(lost)) return []
    reported.add(lost)
    const operator = operatorOf(lost)
    return [problem(titleOf(graph, node), what, `${operator} (operator ${positionOf(graph, lost)})`, operator)]
  })
}

/** Values that persist behind an operator whose result has no type at run time. */
export function valueTypes(_topology: Topology, graph: Graph): readonly Problem[] {
  return breaches(graph, valueNeed, valueLoss, (node, need, lost, operator) => ({
    code: 'MISSING_SCHEMA',
    node,
    message: `It ${need}, but behind ${lost} the type of the value is unknown. Give ${operator} a schema as last argument, { value: schema }, or use select({ … }) of typed fields instead.`,
  }))
}

/** Keys that are needed behind an operator that may change them. */
export function keyTypes(_topology: Topology, graph: Graph): readonly Problem[] {
  return breaches(graph, keyNeed, keyLoss, (node, need, lost, operator) => ({
    code: 'LOST_KEY',
    node,
    message: `It ${need}, but ${lost} may change the key, and the type of its keys is unknown. Put repartition(...) behind it, or give ${operator} the schema { key: schema }.`,
  }))
}
