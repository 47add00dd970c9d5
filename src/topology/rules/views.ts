import { formatDuration } from '../../model/duration.js'
import { closedTable, OFFSETS_TABLE, openTable, siblingName } from '../../model/relation-names.js'
import { coarserViews } from '../coarser-views.js'
import type { Graph } from '../graph.js'
import { positionOf, titleOf } from '../label.js'
import type { Topology, WarehouseSinkNode, WindowSpec } from '../node.js'
import type { Problem } from '../problem.js'
import { tableOf, windowOf } from '../shape.js'
import { identifierProblem } from './names.js'

function sinksOf(graph: Graph): readonly WarehouseSinkNode[] {
  return graph.nodes.filter(node => node.kind === 'to-warehouse')
}

/** Tables whose rows cannot stand apart by whether their window closed. */
export function splitTables(_topology: Topology, graph: Graph): readonly Problem[] {
  return sinksOf(graph).flatMap((node): Problem[] => {
    const table = tableOf(node)
    if (!node.split || table === undefined) return []
    const problem = (message: string): Problem[] => [{ code: 'SPLIT', node: titleOf(graph, node), message }]
    if (windowOf(table)?.type === 'global') {
      return problem(
        "`split` keeps the rows of closed windows apart, and the global window never closes. Leave `split` out, or cut the stream with window(tumbling('1 hour')).",
      )
    }
    if (table.emit !== 'final') return []
    return problem(
      `\`split\` keeps rows that may still change apart, and "${node.table}" has none: its rows come once their window closed (emit: 'final'), and all of them may be cached. Leave \`split\` out.`,
    )
  })
}

/** Coarser views that cannot be, or would hold nothing. */
export function coarserWindows(_topology: Topology, graph: Graph): readonly Problem[] {
  return sinksOf(graph).flatMap((node): Problem[] => {
    const table = tableOf(node)
    const window = table && windowOf(table)
    if (!node.coarser || window === undefined) return []
    const problem = (message: string): Problem => ({ code: 'COARSER', node: titleOf(graph, node), message })
    const reason = unsummable(window)
    if (reason !== undefined) return [problem(reason)]
    const lengths = Object.entries(node.coarser).flatMap(([name, size]): Problem[] => {
      if (size > window.size && size % window.size === 0) return []
      const length = formatDuration(window.size)
      const twice = formatDuration(2 * window.size)
      return [
        problem(
          `The view "${name}" has windows of ${formatDuration(size)}, which is not a longer multiple of the table's ${length}. Write a multiple of ${length}, such as '${twice}'.`,
        ),
      ]
    })
    return [...lengths, ...emptyViews(node).map(problem)]
  })
}

/** Why windows cannot be summed up; undefined for windows that stand side by side. */
function unsummable({ type, size, advance }: WindowSpec): string | undefined {
  if (type === 'global') {
    return '`coarser` sums windows up, and the global window is one. Leave `coarser` out.'
  }
  if (advance === size) return undefined
  return `\`coarser\` sums windows up, and windows of ${formatDuration(size)} that advance by ${formatDuration(advance)} overlap: a record would be counted ${Math.ceil(size / advance)} times. Send window(tumbling('${formatDuration(advance)}')) to a table of its own and put \`coarser\` there.`
}

function emptyViews(node: WarehouseSinkNode): string[] {
  let views: ReturnType<typeof coarserViews>
  try {
    views = coarserViews(node)
  } catch {
    // A measure that does not take its input's type is reported on its own.
    return []
  }
  const empty = views.find(view => view.measures.length === 0)
  if (empty === undefined) return []
  const measures = empty.leftOut.map(name => `"${name}"`).join(', ')
  return [
    `\`coarser\` would sum up nothing: SQL cannot sum up ${measures}. It sums up count, sum, min and max, and mean where the table also holds its sum and its count. Add one of them, or leave \`coarser\` out.`,
  ]
}

/** A name in the warehouse, what it stands for, and the sink that makes it. */
interface Relation {
  readonly name: string
  readonly what: string
  readonly node: WarehouseSinkNode
}

function relationsOf(node: WarehouseSinkNode): readonly Relation[] {
  const views = Object.keys(node.coarser ?? {}).map(name => ({
    name: siblingName(node.table, name),
    what: `the coarser view of "${node.table}"`,
    node,
  }))
  if (node.quantiles) {
    const what = `the quantiles of "${node.table}"`
    views.push({ name: siblingName(node.table, node.quantiles.view), what, node })
  }
  const table = { name: node.table, what: `the table "${node.table}"`, node }
  if (!node.split) return [table, ...views]
  return [
    { ...table, what: `the view "${node.table}" over its open and closed rows` },
    { name: openTable(node.table), what: `the open rows of "${node.table}"`, node },
    { name: closedTable(node.table), what: `the closed rows of "${node.table}"`, node },
    ...views,
  ]
}

/** Names of tables and views that two sinks, or one, would give to two things, or that no warehouse takes. */
export function relationNames(_topology: Topology, graph: Graph): readonly Problem[] {
  const known = new Map<string, Relation>()
  return sinksOf(graph).flatMap(node =>
    relationsOf(node).flatMap((relation): Problem[] => {
      const { name, what } = relation
      const title = titleOf(graph, node)
      const schema = node.table.slice(0, node.table.lastIndexOf('.') + 1)
      const own = name.slice(schema.length)
      // The name of a table is looked at by another rule.
      const illegal = name === node.table ? undefined : identifierProblem(own)
      if (illegal !== undefined) {
        return [{ code: 'ILLEGAL_NAME', node: title, message: `"${own}", ${what}, is no name: ${illegal}.` }]
      }
      if (own === OFFSETS_TABLE) {
        const message = `"${own}" is the table in which Millrace keeps its offsets, and would be ${what}, too. Rename it.`
        return [{ code: 'DUPLICATE_NAME', node: title, message }]
      }
      const other = known.get(name)
      known.set(name, other ?? relation)
      // Two tables of one name share a rows topic, which is reported on its own.
      const sameTable = other?.node !== node && name === node.table && name === other?.node.table
      if (other === undefined || sameTable) return []
      const message = `"${name}" would be ${other.what} (operator ${positionOf(graph, other.node)}) and ${what}. Rename one of them.`
      return [{ code: 'DUPLICATE_NAME', node: title, message }]
    }),
  )
}
