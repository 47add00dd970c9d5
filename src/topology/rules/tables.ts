import type { Graph } from '../graph.js'
import { titleOf } from '../label.js'
import type { Node, Topology } from '../node.js'
import type { Problem } from '../problem.js'
import { tableOf, WINDOW_COLUMNS, windowOf } from '../shape.js'
import { suggestion } from '../suggest.js'
import { type WarehouseColumn, warehouseColumns } from '../warehouse-columns.js'
import { knownKeyShape } from './known-shape.js'
import { identifierProblem } from './names.js'

/** Aggregates without a window, and warehouse tables and `toStream` of what is no table. The compiler refuses both. */
export function tablesAndWindows(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    if ((node.kind === 'aggregate' || node.kind === 'reduce') && windowOf(node) === undefined) {
      const message = `It has no window. Put window(tumbling('1 minute')) before it, or window(globalWindow()) for one that never closes.`
      return [{ code: 'MISSING_WINDOW', node: titleOf(graph, node), message }]
    }
    if ((node.kind === 'to-warehouse' || node.kind === 'to-stream') && tableOf(node) === undefined) {
      const message = 'It takes a table, and this is a stream. Put window(...) and aggregate(...) before it.'
      return [{ code: 'NOT_A_TABLE', node: titleOf(graph, node), message }]
    }
    return []
  })
}

/** The names that occur more than once. */
function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}

/** Names that a row would hold twice: key columns, window columns and measures share one row. */
export function rowNames(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): readonly Problem[] => {
    const problem = (message: string): Problem => ({ code: 'COLUMN_COLLISION', node: titleOf(graph, node), message })
    if (node.kind === 'repartition') {
      return repeated(node.by.map(column => column.name)).map(name =>
        problem(`\`by\` names the column "${name}" twice. Name it once.`),
      )
    }
    if (node.kind !== 'aggregate' && node.kind !== 'reduce') return []
    const windowed = windowOf(node)?.type !== 'global'
    const key = knownKeyShape(node)?.map(field => field.name) ?? []
    const window = windowed ? WINDOW_COLUMNS.map(field => field.name) : []
    const measures = node.kind === 'aggregate' ? Object.keys(node.measures) : []
    return repeated([...new Set(key), ...window, ...measures]).map(name => {
      const isMeasure = measures.includes(name)
      const other = key.includes(name) ? 'a key column' : 'a window column'
      return isMeasure
        ? problem(`"${name}" is ${other} and a measure; they share one row. Rename the measure.`)
        : problem(`"${name}" is a key column and a window column. Rename the key column: { by: { other: '${name}' } }.`)
    })
  })
}

/** The columns of a sink; undefined where another rule says why they are unknown. */
function columnsOf(node: Node): readonly WarehouseColumn[] | undefined {
  if (node.kind !== 'to-warehouse') return undefined
  try {
    return warehouseColumns(node)
  } catch {
    return undefined
  }
}

/** Columns that a sink names and does not have. */
export function knownColumns(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    const columns = columnsOf(node)
    if (node.kind !== 'to-warehouse' || columns === undefined) return []
    const known = columns.map(column => column.original)
    const used = [
      ...node.sortKey.map(name => ({ name, option: 'sortKey' })),
      ...(node.distKey === undefined ? [] : [{ name: node.distKey, option: 'distKey' }]),
      ...Object.keys(node.rename).map(name => ({ name, option: 'rename' })),
      ...Object.keys(node.maxBytes ?? {}).map(name => ({ name, option: 'maxBytes' })),
    ]
    return used
      .filter(({ name }) => !known.includes(name))
      .map(({ name, option }) => ({
        code: 'UNKNOWN_COLUMN',
        node: titleOf(graph, node),
        message: `\`${option}\` names the column "${name}", which the table does not have. ${suggestion(name, known)}${renamedFrom(columns, name)}`,
      }))
  })
}

function renamedFrom(columns: readonly WarehouseColumn[], name: string): string {
  const renamed = columns.find(column => column.name === name)
  return renamed ? ` "${name}" is what "${renamed.original}" is renamed to; write "${renamed.original}" here.` : ''
}

/** Columns of one name, of names that no warehouse takes, and of types that no column holds. */
export function legalColumns(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    const columns = columnsOf(node)
    if (columns === undefined) return []
    const title = titleOf(graph, node)
    const collisions = repeated(columns.map(column => column.name)).map((twice): Problem => {
      const fields = columns.filter(column => column.name === twice).map(column => `"${column.field.name}"`)
      const message = `The fields ${fields.join(' and ')} would both be column "${twice}". Rename one with \`rename\`.`
      return { code: 'COLUMN_COLLISION', node: title, message }
    })
    return [
      ...collisions,
      ...columns.flatMap(({ name, field }): Problem[] => {
        const problem = identifierProblem(name)
        if (problem !== undefined) {
          const message = `"${name}" is no column name: ${problem}. Rename it with \`rename\`.`
          return [{ code: 'ILLEGAL_NAME', node: title, message }]
        }
        if (field.type !== 'other') return []
        const message = `No column can hold "${field.name}" (Avro type ${JSON.stringify(field.schema)}). Leave it out, or give it a type that a column holds.`
        return [{ code: 'COLUMN_TYPE', node: title, message }]
      }),
    ]
  })
}

/** Byte lengths of columns that hold no bytes, or that are none. */
export function byteLengths(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    const lengths = node.kind === 'to-warehouse' ? Object.entries(node.maxBytes ?? {}) : []
    const columns = lengths.length > 0 ? columnsOf(node) : undefined
    const problem = (message: string): Problem[] => [{ code: 'COLUMN_TYPE', node: titleOf(graph, node), message }]
    return lengths.flatMap(([name, bytes]): Problem[] => {
      const column = columns?.find(({ original }) => original === name)
      if (column === undefined) return []
      const { type } = column.field
      if (type !== 'text' && type !== 'bytes') {
        return problem(
          `\`maxBytes\` limits "${name}", which is ${type}: only text and bytes have a length. Leave it out.`,
        )
      }
      if (Number.isSafeInteger(bytes) && bytes >= 1) return []
      return problem(`\`maxBytes\` of "${name}" is ${bytes}. Give a whole number of bytes above zero.`)
    })
  })
}
