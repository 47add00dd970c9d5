import type { Graph } from './graph.js'
import type { Topology } from './node.js'

/** What can be wrong with a topology, by name. */
export type ProblemCode =
  | 'NO_OUTPUT'
  | 'ILLEGAL_NAME'
  | 'DUPLICATE_NAME'
  | 'DUPLICATE_TOPIC'
  | 'PARTITIONS'
  | 'UNKNOWN_FIELD'
  | 'FIELD_TYPE'
  | 'MISSING_SCHEMA'
  | 'LOST_KEY'
  | 'MISSING_WINDOW'
  | 'NOT_A_TABLE'
  | 'MEASURE_TYPE'
  | 'UNKNOWN_COLUMN'
  | 'COLUMN_COLLISION'
  | 'COLUMN_TYPE'
  | 'SPLIT'
  | 'COARSER'
  | 'QUANTILES'
  | 'UPDATES_INTO_WINDOW'
  | 'NEVER_FINAL'

/** One thing that is wrong: `node` says where, `message` what and what to do. */
export interface Problem {
  readonly code: ProblemCode
  /** `aggregate "quest-minute" (operator 4)`, or `topology "quest-minute"`. */
  readonly node: string
  readonly message: string
}

/** A rule of validation: all breaches of it. */
export type Rule = (topology: Topology, graph: Graph) => readonly Problem[]
