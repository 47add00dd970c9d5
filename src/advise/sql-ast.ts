/** A node of a parsed statement, as node-sql-parser gives it: plain data, of which only what is needed is looked at. */
export interface SqlNode {
  readonly [property: string]: unknown
}

export function isNode(value: unknown): value is SqlNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The nodes that a node holds, through lists. */
export function childrenOf(node: SqlNode): readonly SqlNode[] {
  const found: SqlNode[] = []
  const take = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) take(one)
    else if (isNode(value)) found.push(value)
  }
  for (const value of Object.values(node)) take(value)
  return found
}

/** The node and all below it for which `wanted` holds; what is below a wanted one is not looked at. */
export function findNodes(node: SqlNode, wanted: (node: SqlNode) => boolean): readonly SqlNode[] {
  return wanted(node) ? [node] : childrenOf(node).flatMap(child => findNodes(child, wanted))
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return nameOf(value.at(-1))
  if (!isNode(value)) return undefined
  return nameOf(value.value) ?? nameOf(value.expr) ?? nameOf(value.name)
}

/** Lower-case name of the column that a node refers to; `*` for all of them. */
export function columnName(node: SqlNode): string | undefined {
  if (node.type === 'star') return '*'
  return node.type === 'column_ref' ? nameOf(node.column)?.toLowerCase() : undefined
}

/** Lower-case name of the table that qualifies a column. */
export function qualifierOf(node: SqlNode): string | undefined {
  return nameOf(node.table)?.toLowerCase()
}

/** Lower-case name of a called function or aggregate. */
export function functionName(node: SqlNode): string | undefined {
  return node.type === 'function' || node.type === 'aggr_func' || node.type === 'window_func'
    ? nameOf(node.name)?.toLowerCase()
    : undefined
}

/** The arguments of a function or aggregate. */
export function argumentsOf(node: SqlNode): readonly SqlNode[] {
  const { args } = node
  if (Array.isArray(args)) return args.filter(isNode)
  if (!isNode(args)) return []
  if (args.type === 'expr_list' && Array.isArray(args.value)) return args.value.filter(isNode)
  return isNode(args.expr) ? [args.expr] : []
}

/** The value of a literal: text or a number; undefined for anything else. */
export function literalOf(node: unknown): string | number | boolean | undefined {
  if (!isNode(node)) return undefined
  const { type, value } = node
  if ((type === 'number' || type === 'bigint') && (typeof value === 'number' || typeof value === 'string')) {
    return Number(value)
  }
  if ((type === 'bool' || type === 'boolean') && typeof value === 'boolean') return value
  const text = type === 'single_quote_string' || type === 'string' || type === 'timestamp' || type === 'date'
  return text && typeof value === 'string' ? value : undefined
}

/** The parts of a condition that all have to hold. */
export function conjuncts(condition: unknown): readonly SqlNode[] {
  if (!isNode(condition)) return []
  return condition.type === 'binary_expr' && condition.operator === 'AND'
    ? [...conjuncts(condition.left), ...conjuncts(condition.right)]
    : [condition]
}
