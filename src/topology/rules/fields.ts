import { messageOf } from '../../model/errors.js'
import type { Graph } from '../graph.js'
import { titleOf } from '../label.js'
import type { FieldInput } from '../measure.js'
import type { Node, Topology } from '../node.js'
import type { Problem } from '../problem.js'
import { type FieldShape, resolveMeasure } from '../shape.js'
import { suggestion } from '../suggest.js'
import { knownKeyShape, knownValueShape } from './known-shape.js'

/** A field that an operator reads, and the sentence that says so. */
interface Read {
  readonly field: string
  readonly what: string
}

function named(inputs: Iterable<readonly [what: string, input: FieldInput | undefined]>): Read[] {
  return [...inputs].flatMap(([what, input]) => {
    const field = typeof input === 'object' ? input.field : input
    return field === undefined ? [] : [{ field, what }]
  })
}

/** The fields of its input's value (for a source, of its own) that a node reads by name. */
function reads(node: Node): readonly Read[] {
  switch (node.kind) {
    case 'source':
      return typeof node.timestamp === 'string' ? [{ field: node.timestamp, what: '`timestamp` names' }] : []
    case 'where':
      return (node.reads ?? []).map(field => ({ field, what: 'it compares' }))
    case 'select':
      return named(Object.entries(node.fields ?? {}).map(([name, input]) => [`"${name}" is`, input]))
    case 'repartition':
      return named(node.by.map(({ input }) => ['`by` names', input]))
    case 'aggregate':
      return Object.entries(node.measures).flatMap(([name, { input, where }]) => [
        ...named([[`measure "${name}" reads`, input]]),
        ...(typeof where === 'object'
          ? Object.keys(where).map(field => ({ field, what: `\`where\` of measure "${name}" compares` }))
          : []),
      ])
    default:
      return []
  }
}

/** The shape that a node's `reads` are looked up in. */
function readShape(node: Node): readonly FieldShape[] | undefined {
  return knownValueShape(node.kind === 'source' ? node : (node.inputs[0] as Node))
}

/** Fields that are named and do not exist. */
export function knownFields(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    const read = reads(node)
    const known = read.length === 0 ? undefined : readShape(node)?.map(field => field.name)
    if (known === undefined) return []
    const unknown = read.filter(({ field }) => !known.includes(field))
    return unknown.map(({ field, what }) => ({
      code: 'UNKNOWN_FIELD',
      node: titleOf(graph, node),
      message: `${capital(what)} "${field}", which is no field of the value here. ${suggestion(field, known)} If the topic has it, add it to pick(...).`,
    }))
  })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const TIMES = new Set(['int', 'long', 'double', 'timestamp'])

/** Event time that is no number or timestamp; keys of types that no column holds. */
export function fieldTypes(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    const title = titleOf(graph, node)
    if (node.kind === 'source' && typeof node.timestamp === 'string') {
      const field = knownValueShape(node)?.find(one => one.name === node.timestamp)
      if (field === undefined || TIMES.has(field.type)) return []
      const message = `\`timestamp\` names "${field.name}", which is ${field.type}. Name a timestamp-millis or a number of ms since 1970, or give a function of the value.`
      return [{ code: 'FIELD_TYPE', node: title, message }]
    }
    if (node.kind !== 'repartition') return []
    const others = (knownKeyShape(node) ?? []).filter(field => field.type === 'other')
    return others.map(field => ({
      code: 'FIELD_TYPE',
      node: title,
      message: `Key column "${field.name}" is of Avro type ${typeName(field)}, which no column holds. Give a typed expression, such as { ${field.name}: text(e => …) }.`,
    }))
  })
}

function typeName({ schema }: FieldShape): string {
  return JSON.stringify(typeof schema === 'object' && 'type' in schema ? schema.type : schema)
}

/** Measures of a type that their aggregate does not take. A field that does not exist is reported by `knownFields`. */
export function measureTypes(_topology: Topology, graph: Graph): readonly Problem[] {
  return graph.nodes.flatMap((node): Problem[] => {
    if (node.kind !== 'aggregate') return []
    const shape = readShape(node)
    return Object.entries(node.measures).flatMap(([name, measure]): Problem[] => {
      const { input } = measure
      if (typeof input === 'string' && !shape?.some(field => field.name === input)) return []
      try {
        resolveMeasure(measure, shape)
        return []
      } catch (thrown) {
        const message = `Measure "${name}": ${messageOf(thrown)}`
        return [{ code: 'MEASURE_TYPE', node: titleOf(graph, node), message }]
      }
    })
  })
}
