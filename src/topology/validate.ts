import { MillraceError } from '../model/errors.js'
import { graphOf } from './graph.js'
import type { Topology } from './node.js'
import type { Problem, Rule } from './problem.js'
import { fieldTypes, knownFields, measureTypes } from './rules/fields.js'
import { legalNames, partitionCounts, uniqueNames, uniqueSources } from './rules/names.js'
import { quantileViews } from './rules/quantiles.js'
import { keyTypes, valueTypes } from './rules/schemas.js'
import { byteLengths, knownColumns, legalColumns, rowNames, tablesAndWindows } from './rules/tables.js'
import { finalRows, updatesIntoWindows } from './rules/time.js'
import { coarserWindows, relationNames, splitTables } from './rules/views.js'

/** A topology without outputs does nothing. The compiler refuses it. */
const outputs: Rule = topology =>
  topology.outputs.length > 0
    ? []
    : [
        {
          code: 'NO_OUTPUT',
          node: `topology "${topology.name}"`,
          message: 'It has no output. End at least one flow with to(topic(...)) or to(warehouse(...)) and pass it.',
        },
      ]

const RULES: readonly Rule[] = [
  outputs,
  legalNames,
  uniqueNames,
  uniqueSources,
  partitionCounts,
  tablesAndWindows,
  knownFields,
  fieldTypes,
  valueTypes,
  keyTypes,
  measureTypes,
  rowNames,
  knownColumns,
  legalColumns,
  byteLengths,
  splitTables,
  coarserWindows,
  quantileViews,
  relationNames,
  updatesIntoWindows,
  finalRows,
]

/** All problems of a topology, none left out because of another; empty for a sound one. */
export function validate(topology: Topology): readonly Problem[] {
  const graph = graphOf(topology)
  return RULES.flatMap(rule => rule(topology, graph))
}

/** @throws MillraceError INVALID_TOPOLOGY with all problems, a line each. */
export function assertValid(topology: Topology): void {
  const problems = validate(topology)
  if (problems.length === 0) return
  const lines = problems.map(({ node, message }) => `  ${node}: ${message}`)
  throw new MillraceError('INVALID_TOPOLOGY', `Topology "${topology.name}" is not sound:\n${lines.join('\n')}`)
}
