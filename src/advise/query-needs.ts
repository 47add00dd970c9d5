import type { EventColumns } from './event-columns.js'
import { NotAnswerable, type QueryNeed } from './query-need.js'
import { QueryScope } from './query-scope.js'
import { aggregates, aliasesOf, selectNeed } from './query-select.js'
import { childrenOf, conjuncts, isNode, type SqlNode } from './sql-ast.js'

/** What becomes of a statement: it does not read the raw table, a rollup can answer it, or none can. */
export type StatementNeeds =
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'answerable'; readonly needs: readonly QueryNeed[] }
  | { readonly kind: 'unanswerable'; readonly reason: string }

const isSelect = (node: SqlNode): boolean => node.type === 'select'

/** All selects of a statement, the outer ones first. */
function selectsOf(node: SqlNode): readonly SqlNode[] {
  const inner = childrenOf(node).flatMap(selectsOf)
  return isSelect(node) ? [node, ...inner] : inner
}

function fromOf(select: SqlNode): readonly SqlNode[] {
  return Array.isArray(select.from) ? select.from.filter(isNode) : []
}

/** The select that a derived table or a `with` item stands for. */
function selectIn(value: unknown): SqlNode | undefined {
  if (!isNode(value)) return undefined
  if (isSelect(value)) return value
  return selectIn(value.ast) ?? selectIn(value.expr) ?? selectIn(value.stmt)
}

/** `with` items of a statement by lower-case name. */
function namedQueries(statement: SqlNode): ReadonlyMap<string, SqlNode> {
  const found = new Map<string, SqlNode>()
  for (const select of selectsOf(statement)) {
    for (const item of Array.isArray(select.with) ? select.with.filter(isNode) : []) {
      const name = isNode(item.name) ? item.name.value : item.name
      const query = selectIn(item)
      if (typeof name === 'string' && query) found.set(name.toLowerCase(), query)
    }
  }
  return found
}

/** A select that hands on raw rows, so that whoever reads it reads the raw table. */
function handsOn(select: SqlNode): boolean {
  const limit = isNode(select.limit) && Array.isArray(select.limit.value) ? select.limit.value.length : 0
  return !aggregates(select) && limit === 0 && !JSON.stringify(select.columns).includes('"over":{')
}

class Statement {
  private readonly queries: ReadonlyMap<string, SqlNode>
  /** Selects that hand raw rows on to another select. */
  private readonly handedOn = new Set<SqlNode>()

  constructor(
    private readonly statement: SqlNode,
    private readonly table: string,
    private readonly events: EventColumns,
  ) {
    this.queries = namedQueries(statement)
  }

  /** @throws NotAnswerable */
  needs(): readonly QueryNeed[] {
    const reading = selectsOf(this.statement).map(select => ({ select, source: this.source(select) }))
    return reading.flatMap(({ select, source }) => {
      if (source === undefined || this.handedOn.has(select)) return []
      return [selectNeed(select, source.scope, this.events, source.filters)]
    })
  }

  /** Names, and the conditions in between, where a select reads the raw table, directly or through selects that hand it on. */
  private source(select: SqlNode): { readonly scope: QueryScope; readonly filters: readonly SqlNode[] } | undefined {
    const from = fromOf(select)
    const joined = from.length > 1
    for (const item of from) {
      const name = typeof item.table === 'string' ? item.table.toLowerCase() : undefined
      const alias = typeof item.as === 'string' ? item.as.toLowerCase() : undefined
      const names = new Set([name, alias].filter(one => one !== undefined))
      const inner = selectIn(item.expr) ?? (name === undefined ? undefined : this.queries.get(name))
      if (inner === undefined || inner === select) {
        if (name === this.table) return { scope: new QueryScope(this.events, names, joined), filters: [] }
        continue
      }
      const under = handsOn(inner) ? this.source(inner) : undefined
      if (under === undefined) continue
      this.handedOn.add(inner)
      // What the inner query calls the table stays a name of it: its conditions and expressions are looked at from here.
      const all = new Set([...names, ...under.scope.names])
      const scope = new QueryScope(this.events, all, joined, aliasesOf(inner))
      return { scope, filters: [...under.filters, ...conjuncts(inner.where)] }
    }
    return undefined
  }
}

/** True where the text of a statement names the table. */
export function namesTable(sql: string, table: string): boolean {
  return new RegExp(`(^|[^\\w])${table.replace(/[^\w]/g, '\\$&')}([^\\w]|$)`, 'i').test(sql)
}

/** What a rollup needs for parsed statements; `table` is the raw table without its schema, in lower case. */
export function queryNeeds(statements: readonly SqlNode[], table: string, events: EventColumns): StatementNeeds {
  try {
    const needs = statements.flatMap(statement => {
      if (selectsOf(statement).length === 0) return []
      if (statement.type !== 'select') throw new NotAnswerable(`it is no query (${String(statement.type)})`)
      return new Statement(statement, table, events).needs()
    })
    return needs.length === 0 ? { kind: 'elsewhere' } : { kind: 'answerable', needs }
  } catch (thrown) {
    if (thrown instanceof NotAnswerable) return { kind: 'unanswerable', reason: thrown.message }
    throw thrown
  }
}
