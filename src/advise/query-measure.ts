import type { FieldShape } from '../topology/shape.js'
import { symbolsOf } from './event-columns.js'
import { type FieldCondition, type NeededMeasure, NotAnswerable } from './query-need.js'
import type { QueryScope } from './query-scope.js'
import { argumentsOf, columnName, conjuncts, functionName, isNode, literalOf, type SqlNode } from './sql-ast.js'

/** Aggregates that no row of partial results can be added up to, and a few whose parts Millrace does not keep. */
const NOT_ADDITIVE = new Set(
  `median percentile_cont percentile_disc approx_percentile percentile mode stddev stddev_samp stddev_pop variance var_samp
  var_pop corr covar_pop covar_samp regr_slope regr_intercept skewness kurtosis array_agg listagg string_agg group_concat
  histogram map_agg max_by min_by arg_max arg_min any_value arbitrary first_value last_value json_agg jsonb_agg checksum
  approx_most_frequent multimap_agg set_agg bit_and_agg bit_or_agg bool_and bool_or every geometric_mean`.split(/\s+/),
)
const ADDITIVE = new Set('count sum avg min max approx_distinct approx_count_distinct count_if count_big'.split(' '))

/** True for a call of an aggregate, as far as the parser or its name tells. */
export function isAggregate(node: SqlNode): boolean {
  const name = functionName(node)
  if (name === undefined || node.type === 'window_func') return false
  return node.type === 'aggr_func' || ADDITIVE.has(name) || NOT_ADDITIVE.has(name)
}

/** What measures an aggregate needs, and the fields that it needs as dimensions. */
export interface AggregateNeed {
  readonly measures: readonly NeededMeasure[]
  readonly dimensions: readonly string[]
  readonly approximation?: string
}

function fieldOf(node: SqlNode | undefined, scope: QueryScope, name: string): FieldShape {
  const inner = node?.type === 'cast' && isNode(node.expr) ? node.expr : node
  const field = inner && scope.field(inner)
  if (field !== undefined) return field
  throw new NotAnswerable(`${name}(…) of an expression is kept by no rollup: only of a column`)
}

/** A condition as data where it is one: columns that equal literals. */
function conditionOf(node: SqlNode, scope: QueryScope): FieldCondition | undefined {
  const found: Record<string, (string | number | boolean)[]> = {}
  for (const part of conjuncts(node)) {
    const { operator, left, right } = part
    if ((operator !== '=' && operator !== 'IN') || !isNode(left) || !isNode(right)) return undefined
    const field = scope.field(left)
    const list = operator === 'IN' ? (Array.isArray(right.value) ? right.value : undefined) : [right]
    const values = list?.map(literalOf)
    if (field === undefined || values === undefined || values.length === 0 || field.name in found) return undefined
    if (values.some(value => value === undefined || !fits(field, value))) return undefined
    found[field.name] = values as (string | number | boolean)[]
  }
  return Object.keys(found).length === 0 ? undefined : found
}

function fits(field: FieldShape, value: string | number | boolean): boolean {
  switch (field.type) {
    case 'text':
      return typeof value === 'string' && (symbolsOf(field)?.includes(value) ?? true)
    case 'int':
    case 'long':
      return Number.isSafeInteger(value)
    case 'bool':
      return typeof value === 'boolean'
    default:
      return false
  }
}

/** `case when condition then value [else 0 | null] end`. */
function caseOf(node: SqlNode | undefined): { readonly when: SqlNode; readonly value: SqlNode } | undefined {
  if (node?.type !== 'case' || (node.expr !== null && node.expr !== undefined) || !Array.isArray(node.args))
    return undefined
  const [first, other, ...rest] = node.args.filter(isNode)
  if (first === undefined || first.type !== 'when' || rest.length > 0) return undefined
  if (other !== undefined && (other.type !== 'else' || !isNothing(other.result))) return undefined
  return isNode(first.cond) && isNode(first.result) ? { when: first.cond, value: first.result } : undefined
}

function isNothing(node: unknown): boolean {
  return isNode(node) && (node.type === 'null' || literalOf(node) === 0)
}

/** The measure of the events for which a condition holds, or of all, and the condition's fields as dimensions. */
function under(condition: SqlNode | undefined, scope: QueryScope, measures: readonly NeededMeasure[]): AggregateNeed {
  if (condition === undefined) return { measures, dimensions: [] }
  const where = conditionOf(condition, scope)
  if (where !== undefined) return { measures: measures.map(measure => ({ ...measure, where })), dimensions: [] }
  return { measures, dimensions: scope.fieldsIn(condition).map(field => field.name) }
}

/**
 * What a rollup has to have for one aggregate.
 * @throws NotAnswerable, saying why no rollup has it.
 */
export function aggregateNeed(node: SqlNode, scope: QueryScope): AggregateNeed {
  const name = functionName(node) ?? ''
  if (NOT_ADDITIVE.has(name) || !ADDITIVE.has(name)) {
    throw new NotAnswerable(`${name}(…) cannot be added up from the rows of a rollup`)
  }
  const filter = isNode(node.filter) && isNode(node.filter.where) ? node.filter.where : undefined
  const [argument] = argumentsOf(node)
  const counting = (condition: SqlNode | undefined) => under(condition, scope, [{ kind: 'count' }])
  if (name === 'count_if') return counting(argument)
  const distinct = isNode(node.args) && String(node.args.distinct).toUpperCase() === 'DISTINCT'
  if (name.startsWith('approx_') || (name === 'count' && distinct)) {
    const { name: field } = fieldOf(argument, scope, `${name}(distinct)`.replace(/^approx.*/, name))
    const need = under(filter, scope, [{ kind: 'distinctSketch', field }])
    return name === 'count'
      ? { ...need, approximation: `count(distinct ${field}) is estimated, from sketches that Trino merges` }
      : need
  }
  const inCase = filter === undefined ? caseOf(argument) : undefined
  const condition = filter ?? inCase?.when
  const value = inCase?.value ?? argument
  const constant = value === undefined || columnName(value) === '*' ? 1 : literalOf(value)
  if (name === 'count' || name === 'count_big') {
    if (constant !== undefined) return counting(condition)
    const field = fieldOf(value, scope, name)
    return under(condition, scope, [field.nullable ? { kind: 'count', field: field.name } : { kind: 'count' }])
  }
  if ((name === 'sum' || name === 'avg') && constant === 1) {
    const { measures, dimensions } = counting(condition)
    return { measures: name === 'avg' ? [...measures, { kind: 'count' }] : measures, dimensions }
  }
  const field = fieldOf(value, scope, name)
  const numeric = field.type === 'int' || field.type === 'long' || field.type === 'double'
  if (name === 'min' || name === 'max') {
    if (field.type === 'other' || field.type === 'bytes')
      throw new NotAnswerable(`${name}(${field.name}) is of no simple type`)
    return under(condition, scope, [{ kind: name, field: field.name }])
  }
  if (!numeric) throw new NotAnswerable(`${name}(${field.name}) is no sum of numbers`)
  const sum: NeededMeasure = { kind: 'sum', field: field.name }
  const parts: readonly NeededMeasure[] =
    name === 'avg' ? [sum, field.nullable ? { kind: 'count', field: field.name } : { kind: 'count' }] : [sum]
  return under(condition, scope, parts)
}
