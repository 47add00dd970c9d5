import type { DescribedNode, Description } from './describe.js'

/** A description as a Mermaid flowchart: topics and tables as cylinders, a subgraph each sub-topology. */
export function describeMermaid(description: Description): string {
  const ids = new Map<string, string>()
  const id = (name: string): string => {
    const known = ids.get(name)
    if (known !== undefined) return known
    const next = `n${ids.size + 1}`
    ids.set(name, next)
    return next
  }
  const topics = new Set<string>()
  const subgraphs: string[] = []
  const edges: string[] = []
  for (const part of description.subTopologies) {
    const inside = part.nodes.filter(node => node.type === 'processor')
    if (inside.length > 0) {
      subgraphs.push(`  subgraph s${part.id}["sub-topology ${part.id}"]`)
      for (const node of inside) subgraphs.push(`    ${id(node.label)}["${titleOf(node)}"]`)
      subgraphs.push('  end')
    }
    const end = (node: DescribedNode) => (node.type === 'processor' ? id(node.label) : id(`topic ${node.topics[0]}`))
    for (const node of part.nodes) {
      for (const topic of node.topics) topics.add(topic)
      for (const label of node.successors) {
        edges.push(`  ${end(node)} --> ${end(part.nodes.find(one => one.label === label) as DescribedNode)}`)
      }
    }
  }
  for (const table of description.tables)
    edges.push(`  ${id(`warehouse-${table.name}`)} --> ${id(`table ${table.name}`)}`)
  return [
    'flowchart LR',
    ...[...topics].map(topic => `  ${id(`topic ${topic}`)}[("${topic}")]`),
    ...description.tables.map(table => `  ${id(`table ${table.name}`)}[("table ${table.name}")]`),
    ...subgraphs,
    ...edges,
    '',
  ].join('\n')
}

function titleOf({ label, stores }: DescribedNode): string {
  return stores.length === 0 ? label : `${label}<br/>store ${stores.join(', ')}`
}
