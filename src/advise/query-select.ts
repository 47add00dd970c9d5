import type { EventColumns } from './event-columns.js'
import { aggregateNeed, isAggregate } from './query-measure.js'
import { distinctMeasures, type NeededMeasure, NotAnswerable, type QueryNeed } from './query-need.js'
import type { QueryScope } from './query-scope.js'
import { columnName, conjuncts, findNodes, functionName, isNode, literalOf, type SqlNode } from './sql-ast.js'
import { boundGrain, DAY, timeGrain } from './time-grain.js'

/** Grains that windows can have: whole divisors of a day, in ms. */
function divides(grain: number): boolean {
  return grain >= 1_000 && Number.isInteger(grain) && (DAY % grain === 0 || grain % DAY === 0)
}

function expressionsOf(select: SqlNode): readonly SqlNode[] {
  const columns = Array.isArray(select.columns) ? select.columns : []
  return columns.filter(isNode).map(column => (isNode(column.expr) ? column.expr : column))
}

function groupingOf(select: SqlNode): readonly SqlNode[] {
  const { groupby } = select
  const columns = isNode(groupby) ? groupby.columns : groupby
  return Array.isArray(columns) ? columns.filter(isNode) : []
}

const isSelect = (node: SqlNode): boolean => node.type === 'select'

/** The aggregates of an expression, those inside of window functions too, but not those of queries in it. */
function aggregatesIn(node: SqlNode): readonly SqlNode[] {
  if (isSelect(node)) return []
  const over = isNode(node.over)
  if (isAggregate(node) && !over) return [node]
  return Object.values(node)
    .flatMap(value => (Array.isArray(value) ? value : [value]))
    .filter(isNode)
    .flatMap(aggregatesIn)
}

/** True where a select groups or aggregates, so that it does not answer with raw rows. */
export function aggregates(select: SqlNode): boolean {
  const distinct = isNode(select.distinct) ? select.distinct.type : select.distinct
  return (
    groupingOf(select).length > 0 ||
    Boolean(distinct) ||
    expressionsOf(select).some(node => aggregatesIn(node).length > 0)
  )
}

/** Names that the select gives to expressions, and the expressions. */
export function aliasesOf(select: SqlNode): ReadonlyMap<string, SqlNode> {
  const found = new Map<string, SqlNode>()
  for (const column of Array.isArray(select.columns) ? select.columns.filter(isNode) : []) {
    const { expr, as } = column
    const name = typeof as === 'string' ? as.toLowerCase() : isNode(expr) ? columnName(expr) : undefined
    if (isNode(expr) && name !== undefined && name !== '*') found.set(name, expr)
  }
  return found
}

class Need {
  readonly dimensions = new Set<string>()
  readonly measures: NeededMeasure[] = []
  readonly approximations = new Set<string>()
  grain = DAY

  constructor(
    private readonly scope: QueryScope,
    private readonly timestamp: string | undefined,
  ) {}

  lookAt(grain: number): void {
    if (grain < this.grain) this.grain = grain
  }

  /** Columns of an expression as dimensions, and the grain of what it does with the event time. */
  groups(node: SqlNode): void {
    const grain = timeGrain(node, this.scope.isTime)
    if (grain !== undefined) {
      if (grain < 1_000) throw new NotAnswerable('it groups by the time of single events')
      if (!divides(grain)) throw new NotAnswerable(`its time buckets of ${grain / 1_000} seconds do not divide a day`)
      this.lookAt(grain)
    }
    this.dimensionsIn(node)
  }

  dimensionsIn(node: SqlNode): void {
    for (const { name, type } of this.scope.fieldsIn(node)) {
      if (type === 'other' || type === 'bytes')
        throw new NotAnswerable(`it groups or filters by ${name}, which is no key`)
      if (name !== this.timestamp) this.dimensions.add(name)
    }
  }

  filters(condition: SqlNode): void {
    this.dimensionsIn(condition)
    for (const comparison of findNodes(
      condition,
      node => node.type === 'binary_expr' && !/^(AND|OR)$/.test(String(node.operator)),
    )) {
      this.bounds(comparison)
    }
  }

  private bounds({ left, right }: SqlNode): void {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ]) {
      if (!isNode(one) || !isNode(other)) continue
      const grain = timeGrain(one, this.scope.isTime)
      if (grain === undefined) continue
      const bounds = other.type === 'expr_list' && Array.isArray(other.value) ? other.value.filter(isNode) : [other]
      if (grain >= 60_000) this.lookAt(grain)
      else for (const bound of bounds) this.lookAt(boundGrain(bound))
    }
  }

  computes(node: SqlNode): void {
    for (const aggregate of aggregatesIn(node)) {
      const { measures, dimensions, approximation } = aggregateNeed(aggregate, this.scope)
      this.measures.push(...measures)
      for (const name of dimensions) {
        if (name === this.timestamp)
          throw new NotAnswerable('it aggregates under a condition on the time of single events')
        this.dimensions.add(name)
      }
      if (approximation !== undefined) this.approximations.add(approximation)
    }
  }
}

/**
 * What one select over the raw table needs; `filters` are the conditions of queries between it and the table.
 * @throws NotAnswerable, saying why no rollup answers it.
 */
export function selectNeed(
  select: SqlNode,
  scope: QueryScope,
  { timestamp }: EventColumns,
  filters: readonly SqlNode[] = [],
): QueryNeed {
  if (!aggregates(select)) {
    throw new NotAnswerable(
      expressionsOf(select).some(node => functionName(node) !== undefined && isNode(node.over))
        ? 'it numbers or compares single events (a window function over raw rows)'
        : 'it reads single events, not aggregates of them',
    )
  }
  const need = new Need(scope, timestamp)
  const aliases = aliasesOf(select)
  const expressions = expressionsOf(select).map(node => scope.resolved(node))
  const grouping = groupingOf(select).map(node => {
    const position = literalOf(node)
    const named = columnName(node)
    const expression = typeof position === 'number' ? expressionsOf(select)[position - 1] : named && aliases.get(named)
    return scope.resolved(isNode(expression) ? expression : node)
  })
  for (const node of grouping) need.groups(node)
  if (grouping.length === 0 && expressions.every(node => aggregatesIn(node).length === 0)) {
    for (const node of expressions) need.groups(node)
  }
  const having = isNode(select.having) ? [scope.resolved(select.having)] : []
  const ordered = (Array.isArray(select.orderby) ? select.orderby : []).filter(isNode).map(({ expr }) => expr)
  for (const node of [...expressions, ...having, ...ordered.filter(isNode).map(one => scope.resolved(one))])
    need.computes(node)
  for (const condition of [select.where, ...joinConditions(select), ...filters]) {
    for (const part of conjuncts(condition)) need.filters(scope.resolved(part))
  }
  return {
    dimensions: [...need.dimensions].sort(),
    grain: need.grain,
    measures: distinctMeasures(need.measures.length === 0 ? [{ kind: 'count' }] : need.measures),
    approximations: [...need.approximations],
  }
}

function joinConditions(select: SqlNode): readonly unknown[] {
  return Array.isArray(select.from) ? select.from.filter(isNode).map(({ on }) => on) : []
}
