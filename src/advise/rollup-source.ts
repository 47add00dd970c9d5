import { snakeCase } from '../model/column.js'
import { formatDuration } from '../model/duration.js'
import type { EventColumns } from './event-columns.js'
import type { FieldCondition, NeededMeasure } from './query-need.js'
import type { PlannedRollup } from './rollup-plan.js'

/** Where the events of generated topologies come from. */
export interface SourceOfEvents {
  readonly topic: string
  /** What `millrace codegen` calls the schema, and the module that it is in. */
  readonly schemaName: string
  readonly schemaModule: string
}

const MAX_NAME = 60

function pascal(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

function camel(name: string): string {
  const all = pascal(name)
  return all.charAt(0).toLowerCase() + all.slice(1)
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`

/** `1 hour` is `hour`, `5 minutes` is `5_minutes`. */
function grainName(grain: number): string {
  return formatDuration(grain).replace(/^1 /, '').replaceAll(' ', '_')
}

/** The warehouse table of a rollup: `quest_type_region_hour`. */
export function tableOfRollup({ dimensions, grain }: Pick<PlannedRollup, 'dimensions' | 'grain'>): string {
  const keys = dimensions.length === 0 ? 'total' : dimensions.map(snakeCase).join('_')
  return `${keys.slice(0, MAX_NAME - 12).replace(/_$/, '')}_${grainName(grain)}`
}

function conditionName(where: FieldCondition | undefined): string {
  return Object.entries(where ?? {})
    .map(([field, values]) => {
      const named = values.every(value => typeof value === 'string' && /^[A-Za-z]/.test(value))
      return named
        ? values.map(value => pascal(String(value).toLowerCase())).join('Or')
        : pascal(`${field} ${values.join(' ')}`)
    })
    .join('')
}

function measureName({ kind, field, where }: NeededMeasure): string {
  const condition = conditionName(where)
  switch (kind) {
    case 'count':
      return field === undefined ? `events${condition}` : `${field}Count${condition}`
    case 'distinctSketch':
      return `${field}Distinct${condition}`
    default:
      return `${field}${pascal(kind)}${condition}`
  }
}

function conditionText(where: FieldCondition): string {
  const fields = Object.entries(where).map(([field, values]) => {
    const texts = values.map(value => (typeof value === 'string' ? quoted(value) : String(value)))
    return `${field}: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`
  })
  return `{ where: { ${fields.join(', ')} } }`
}

function measureText({ kind, field, where }: NeededMeasure): string {
  if (kind === 'count' && field !== undefined) {
    const tests = Object.entries(where ?? {}).map(([name, values]) => {
      const list = values.map(value => (typeof value === 'string' ? quoted(value) : String(value)))
      return list.map(one => `e.${name} === ${one}`).join(' || ')
    })
    return `count({ where: e => ${[`e.${field} !== null`, ...tests.map(test => `(${test})`)].join(' && ')} })`
  }
  const args = [...(field === undefined ? [] : [quoted(field)]), ...(where ? [conditionText(where)] : [])]
  return `${kind}(${args.join(', ')})`
}

function uniqueNames(
  measures: readonly NeededMeasure[],
  taken: readonly string[],
): readonly (readonly [string, NeededMeasure])[] {
  const used = new Set(taken)
  return measures.map(measure => {
    const name = measureName(measure)
    let unique = name
    for (let i = 2; used.has(unique); i++) unique = `${name}${i}`
    used.add(unique)
    return [unique, measure] as const
  })
}

function rollupText(rollup: PlannedRollup, key: string): string {
  const table = tableOfRollup(rollup)
  const columns = rollup.dimensions.map(snakeCase)
  const measures = uniqueNames(rollup.measures, rollup.dimensions).map(
    ([name, measure]) => `    ${name}: ${measureText(measure)},`,
  )
  const sortKey = ['window_start', ...(columns.length === 0 ? ['total'] : columns)].map(quoted).join(', ')
  return [
    `const ${camel(table)} = ${key}.pipe(`,
    `  window(tumbling(${quoted(formatDuration(rollup.grain))}, { grace: '30 seconds' })),`,
    `  aggregate(${quoted(table.replaceAll('_', '-'))}, {`,
    ...measures,
    '  }),',
    `  to(warehouse(${quoted(table)}, { sortKey: [${sortKey}] })),`,
    ')',
  ].join('\n')
}

/** The fields that rollups read, in the order of the schema. */
function fieldsRead(rollups: readonly PlannedRollup[], events: EventColumns): readonly string[] {
  const read = new Set<string>(events.timestamp === undefined ? [] : [events.timestamp])
  for (const { dimensions, measures } of rollups) {
    for (const name of dimensions) read.add(name)
    for (const { field, where = {} } of measures)
      for (const name of [field, ...Object.keys(where)]) if (name) read.add(name)
  }
  return events.fields.map(({ name }) => name).filter(name => read.has(name))
}

/** The topology that makes rollups: TypeScript of the DSL, with one repartition for those of the same key. */
export function rollupSource(
  rollups: readonly PlannedRollup[],
  events: EventColumns,
  { topic, schemaName, schemaModule }: SourceOfEvents,
): string {
  const keys = new Map<string, readonly string[]>()
  for (const { dimensions } of rollups) keys.set(keyName(dimensions), dimensions)
  const repartitions = [...keys].map(([name, dimensions]) => {
    const by =
      dimensions.length === 0
        ? "{ total: text(() => 'all') }"
        : dimensions.length === 1
          ? quoted(dimensions[0] as string)
          : `[${dimensions.map(quoted).join(', ')}]`
    const node =
      dimensions.length === 0
        ? 'by-total'
        : `by-${dimensions.map(one => snakeCase(one).replaceAll('_', '-')).join('-')}`
    return `const ${name} = events.pipe(repartition(${quoted(node)}, { by: ${by} }))`
  })
  const kinds = rollups.flatMap(({ measures }) => measures.map(({ kind }) => kind))
  const imports = [
    'aggregate',
    'fromTopic',
    'repartition',
    'to',
    'topology',
    'tumbling',
    'warehouse',
    'window',
    ...kinds,
  ]
  if (keys.has('byTotal')) imports.push('text')
  const names = [...new Set(imports)].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase()))
  const timestamp = events.timestamp === undefined ? [] : [`  timestamp: ${quoted(events.timestamp)},`]
  return [
    'import {',
    ...names.map(name => `  ${name},`),
    "} from 'millrace'",
    `import { ${schemaName} } from ${quoted(schemaModule)}`,
    '',
    `const events = fromTopic(${quoted(topic)}, {`,
    `  value: ${schemaName}.pick(${fieldsRead(rollups, events).map(quoted).join(', ')}),`,
    ...timestamp,
    '})',
    '',
    ...repartitions,
    '',
    ...rollups.flatMap(rollup => [rollupText(rollup, keyName(rollup.dimensions)), '']),
    `export default topology(${quoted(`${topic}-rollups`)}, ${rollups.map(one => camel(tableOfRollup(one))).join(', ')})`,
    '',
  ].join('\n')
}

function keyName(dimensions: readonly string[]): string {
  return dimensions.length === 0 ? 'byTotal' : `by${dimensions.map(pascal).join('')}`
}
