import type { FieldShape } from '../topology/shape.js'
import type { EventColumns } from './event-columns.js'
import { NotAnswerable } from './query-need.js'
import { columnName, findNodes, isNode, qualifierOf, type SqlNode } from './sql-ast.js'

/** What the names in a `select` over the raw table stand for. */
export class QueryScope {
  constructor(
    private readonly events: EventColumns,
    /** The raw table's names in this select. */
    readonly names: ReadonlySet<string>,
    /** Other tables are joined: names may be theirs. */
    private readonly joined: boolean,
    /** Expressions that a query between the raw table and this select gives names to. */
    private readonly aliases: ReadonlyMap<string, SqlNode> = new Map(),
  ) {}

  /** The expression with the names of an inner query replaced by what they stand for. */
  resolved(node: SqlNode): SqlNode {
    if (this.aliases.size === 0) return node
    const name = columnName(node)
    if (name !== undefined) return this.aliases.get(name) ?? node
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, this.resolvedValue(value)]))
  }

  private resolvedValue(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(one => this.resolvedValue(one))
    return isNode(value) ? this.resolved(value) : value
  }

  /**
   * The field of the raw table that a column is; undefined for columns of joined tables.
   * @throws NotAnswerable when the events have no such field.
   */
  field(node: SqlNode): FieldShape | undefined {
    const name = columnName(node)
    if (name === undefined || name === '*') return undefined
    const qualifier = qualifierOf(node)
    if (qualifier !== undefined && !this.names.has(qualifier)) return undefined
    const field = this.events.field(name)
    if (field === undefined && !this.joined) {
      throw new NotAnswerable(`it names the column ${name}, which the events do not have`)
    }
    return field
  }

  readonly isTime = (node: SqlNode): boolean =>
    columnName(node) !== undefined &&
    this.field(node)?.name === this.events.timestamp &&
    this.events.timestamp !== undefined

  /** The fields of the raw table in an expression. */
  fieldsIn(node: SqlNode): readonly FieldShape[] {
    return findNodes(node, one => columnName(one) !== undefined || one.type === 'select').flatMap(one => {
      const field = one.type === 'select' ? undefined : this.field(one)
      return field === undefined ? [] : [field]
    })
  }
}
