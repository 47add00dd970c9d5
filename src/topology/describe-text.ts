import type {
  DescribedField,
  DescribedNode,
  DescribedStore,
  DescribedTable,
  DescribedView,
  Description,
} from './describe.js'

/** A description in the shape of Kafka Streams' `TopologyDescription`, then stores, internal topics, tables and processes. */
export function describeText(description: Description): string {
  const { group, internalTopics, onError, processes, stores, subTopologies, tables, topology } = description
  const width = Math.max(...internalTopics.map(topic => topic.name.length))
  return [
    'Topologies:',
    ...subTopologies.flatMap(({ id, nodes }) => [`   Sub-topology: ${id}`, ...nodes.flatMap(nodeLines), '']),
    `Topology: ${topology} (group: ${group}, onError: ${onError})`,
    ...section('Stores', stores.flatMap(storeLines)),
    ...section(
      'Internal topics',
      internalTopics.map(
        ({ name, purpose, partitions }) => `  ${name.padEnd(width)}  ${purpose}, partitions: ${partitions.expression}`,
      ),
    ),
    ...section('Tables', tables.flatMap(tableLines)),
    ...section(
      'Tasks',
      subTopologies.map(({ id, tasks }) => `  sub-topology ${id}: ${tasks.expression}`),
    ),
    `Largest useful number of processes: ${processes.expression}`,
    '',
  ].join('\n')
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines]
}

function nodeLines(node: DescribedNode): readonly string[] {
  return [
    `    ${title(node)}`,
    ...(node.type === 'sink' ? [] : [`      --> ${node.successors.join(', ') || 'none'}`]),
    ...(node.type === 'source' ? [] : [`      <-- ${node.predecessors.join(', ') || 'none'}`]),
  ]
}

function title({ label, stores, topics, type }: DescribedNode): string {
  switch (type) {
    case 'source':
      return `Source: ${label} (topics: [${topics.join(', ')}])`
    case 'processor':
      return `Processor: ${label} (stores: [${stores.join(', ')}])`
    case 'sink':
      return `Sink: ${label} (topic: ${topics.join(', ')})`
    default:
      return type satisfies never
  }
}

const RECORDS: Readonly<Record<DescribedStore['records'], string>> = {
  combined: 'combined before the repartition',
  raw: 'raw, each is sent through the repartition',
  local: 'read directly, no repartition on the way',
}

function fieldList(fields: readonly (DescribedField & { readonly maxBytes?: number })[]): string {
  const described = fields.map(({ name, type, nullable, maxBytes }) => {
    const length = maxBytes === undefined ? '' : ` of at most ${maxBytes} bytes`
    return `${name} ${type}${length}${nullable ? '' : ' not null'}`
  })
  return described.join(', ') || 'unknown'
}

function storeLines(store: DescribedStore): readonly string[] {
  const { changelog, emit, key, measures, name, records, window } = store
  return [
    `  ${name} (changelog: ${changelog})`,
    `    window: ${window}`,
    `    emits: ${emit}`,
    `    records: ${RECORDS[records]}`,
    `    key: ${fieldList(key)}`,
    `    measures: ${fieldList(measures)}`,
  ]
}

function summed(measure: DescribedView['measures'][number]): string {
  return measure.by === 'mean'
    ? `${measure.column} (${measure.sum} / ${measure.count})`
    : `${measure.column} (${measure.by})`
}

function viewLines({ leftOut, measures, name, size }: DescribedView): readonly string[] {
  return [
    `    view ${name}: windows of ${size}, ${measures.map(summed).join(', ')}`,
    ...(leftOut.length > 0 ? [`      left out, since SQL cannot sum it up: ${leftOut.join(', ')}`] : []),
  ]
}

function quantileLine({ accuracy, bucket, count, name, quantiles }: NonNullable<DescribedTable['quantiles']>): string {
  const ranks = quantiles.map(({ column, rank }) => `${column} (${rank})`).join(', ')
  return `    view ${name}: quantiles ${ranks} of ${count} by ${bucket}, within ${Number((100 * accuracy).toFixed(6))} %`
}

function tableLines(table: DescribedTable): readonly string[] {
  const { columns, distKey, freshness, key, name, sortKey, quantiles, split, views = [] } = table
  return [
    `  ${name}`,
    `    columns: ${fieldList(columns)}`,
    `    key: ${key.join(', ')}`,
    ...(sortKey.length > 0 ? [`    sort key: ${sortKey.join(', ')}`] : []),
    ...(distKey === undefined ? [] : [`    distribution key: ${distKey}`]),
    `    freshness: ${freshness}`,
    ...(split ? [`    split: open windows in ${split.open}, closed ones in ${split.closed}`] : []),
    ...views.flatMap(viewLines),
    ...(quantiles ? [quantileLine(quantiles)] : []),
  ]
}
