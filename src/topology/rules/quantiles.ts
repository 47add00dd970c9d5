import type { Graph } from '../graph.js'
import { titleOf } from '../label.js'
import type { Topology, WarehouseSinkNode } from '../node.js'
import type { Problem } from '../problem.js'
import { tableOf } from '../shape.js'
import { suggestion } from '../suggest.js'
import { rowKey, type WarehouseColumn, warehouseColumns } from '../warehouse-columns.js'
import { identifierProblem } from './names.js'

/** Quantile views of columns that are no buckets or no counts, and of ranks that are none. */
export function quantileViews(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    if (node.kind !== 'to-warehouse' || node.quantiles === undefined) return []
    const columns = known(node)
    if (columns === undefined) return []
    const problems = [
      ...bucketProblems(node.quantiles.bucket, columns),
      ...countProblems(node, node.quantiles.count, columns),
      ...rankProblems(node.quantiles.ranks, [...rowKey(columns).map(({ name }) => name), node.quantiles.count]),
    ]
    return problems.map(message => ({ code: 'QUANTILES', node: titleOf(graph, node), message }))
  })
}

/** The columns; undefined also where a problem upstream, which is reported on its own, keeps them from being told. */
function known(node: WarehouseSinkNode): readonly WarehouseColumn[] | undefined {
  try {
    return warehouseColumns(node)
  } catch {
    return undefined
  }
}

function bucketProblems(bucket: string, columns: readonly WarehouseColumn[]): string[] {
  const key = columns.filter(({ part }) => part === 'key')
  const found = key.find(({ original }) => original === bucket)
  const how = `Make it one with repartition('…', { by: { …, ${bucket}: logBucket('…') } }).`
  if (found === undefined) {
    const names = key.map(({ original }) => original)
    return [
      `\`quantiles\` takes the bucket from "${bucket}", which is no key column. ${suggestion(bucket, names)} ${how}`,
    ]
  }
  if (found.field.accuracy !== undefined) return []
  return [`\`quantiles\` takes the bucket from "${bucket}", which is no logarithmic bucket. ${how}`]
}

function countProblems(node: WarehouseSinkNode, count: string, columns: readonly WarehouseColumn[]): string[] {
  const table = tableOf(node)
  const found = columns.find(({ original, part }) => original === count && part === 'measure')
  if (found && table?.kind === 'aggregate' && table.measures[found.field.name]?.kind === 'count') return []
  const counts = columns.filter(
    ({ field, part }) =>
      part === 'measure' && table?.kind === 'aggregate' && table.measures[field.name]?.kind === 'count',
  )
  const advice =
    counts.length > 0
      ? suggestion(
          count,
          counts.map(({ original }) => original),
        )
      : `Add one: aggregate('…', { ${count}: count() }).`
  return [`\`quantiles\` counts by "${count}", which is no count() of the table. ${advice}`]
}

function rankProblems(ranks: Readonly<Record<string, number>>, taken: readonly string[]): string[] {
  const entries = Object.entries(ranks)
  if (entries.length === 0) return ['`quantiles` has no ranks. Name at least one, such as { p50: 0.5 }.']
  return entries.flatMap(([name, rank]) => {
    const illegal = identifierProblem(name)
    return [
      ...(illegal === undefined ? [] : [`"${name}" is no name of a column of quantiles: ${illegal}.`]),
      ...(taken.includes(name)
        ? [`The quantile "${name}" has the name of another column of the view. Rename it.`]
        : []),
      ...(rank >= 0 && rank <= 1
        ? []
        : [`The rank of "${name}" is ${rank}, but must be from 0 to 1: 0.5 is the median.`]),
    ]
  })
}
