import type { EventColumns } from './event-columns.js'
import { percent, whole } from './figure-text.js'
import type { LoggedQuery, QueryLog } from './query-log.js'
import type { QueryNeed } from './query-need.js'
import { namesTable, queryNeeds } from './query-needs.js'
import { type PlannedRollup, planRollups } from './rollup-plan.js'
import { rollupSource, type SourceOfEvents, tableOfRollup } from './rollup-source.js'
import type { RowEstimates } from './row-estimate.js'
import type { ParsedStatement } from './sql-parser.js'
import { DAY } from './time-grain.js'

/** A rollup to make. */
export interface ProposedRollup extends Omit<PlannedRollup, 'queries'> {
  readonly table: string
  /** Statements that it answers, wholly or in part. */
  readonly answers: readonly string[]
}

/** A statement on the raw table, and what becomes of it. */
export interface JudgedQuery {
  readonly sql: string
  readonly calls: number
  readonly cost: number
  /** Tables that answer it; empty where none do. */
  readonly tables: readonly string[]
  /** What it costs then; its cost where nothing answers it. */
  readonly costAfter: number
  /** Why nothing answers it. */
  readonly reason?: string
  /** What the answer is not exact in. */
  readonly approximations: readonly string[]
}

/** What logged SQL speaks for. */
export interface SqlAdvice {
  readonly table: string
  /** Different statements: all, those on the table, those that no dialect parses. */
  readonly statements: number
  readonly onTable: number
  readonly unparsed: readonly { readonly sql: string; readonly reason: string }[]
  /** Of the costs. */
  readonly unit: QueryLog['unit']
  /** Cost of all statements on the table. */
  readonly cost: number
  /** Share of that cost which the rollups answer, and which they save. */
  readonly coverage: number
  readonly saving: number
  /** Rows are counted in a sample; otherwise assumed from the types of the fields. */
  readonly sampled: boolean
  readonly rollups: readonly ProposedRollup[]
  readonly queries: readonly JudgedQuery[]
  /** Text of a topology to start from; undefined where nothing is proposed. */
  readonly topology: string | undefined
}

export interface SqlAdviceOptions {
  readonly log: QueryLog
  readonly parse: (sql: string) => ParsedStatement
  /** The raw table, with its schema or without. */
  readonly table: string
  readonly events: EventColumns
  readonly rows: RowEstimates
  readonly source: SourceOfEvents
}

interface Judged {
  readonly query: LoggedQuery
  /** Undefined for a reason. */
  readonly needs: readonly QueryNeed[] | undefined
  readonly reason: string | undefined
}

function shortened(sql: string): string {
  const line = sql.replace(/\s+/g, ' ')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

/** Why queries that a rollup could answer get none. */
function tooManyRows(needs: readonly QueryNeed[], rows: RowEstimates): string {
  const [worst] = needs
    .map(need => ({ need, ...rows.estimate(need.dimensions, need.grain) }))
    .sort((a, b) => b.share - a.share)
  if (worst === undefined) return 'it needs nothing'
  const by = worst.need.dimensions.join(', ') || 'nothing'
  const finest = worst.need.grain < DAY ? ` and ${worst.need.grain / 1_000} s` : ''
  return worst.share >= 0.2
    ? `a rollup by ${by}${finest} would have ${percent(worst.share)} of the rows of the events`
    : `it costs too little for a rollup of ${whole(worst.rows)} rows of its own, by ${by}${finest}`
}

/** Proposes the rollups that answer most of the cost of logged statements on one table. */
export function adviseSql({ log, parse, table, events, rows, source }: SqlAdviceOptions): SqlAdvice {
  const plain = table.split('.').at(-1)!.replaceAll('"', '').toLowerCase()
  const unparsed: { sql: string; reason: string }[] = []
  const judged = log.queries.flatMap((query): readonly Judged[] => {
    if (!namesTable(query.sql, plain)) return []
    const parsed = parse(query.sql)
    if ('problem' in parsed) {
      unparsed.push({ sql: shortened(query.sql), reason: parsed.problem })
      return [{ query, needs: undefined, reason: `it cannot be parsed: ${parsed.problem}` }]
    }
    const needs = queryNeeds(parsed.statements, plain, events)
    if (needs.kind === 'elsewhere') return []
    return needs.kind === 'answerable'
      ? [{ query, needs: needs.needs, reason: undefined }]
      : [{ query, needs: undefined, reason: needs.reason }]
  })
  const cost = judged.reduce((sum, { query }) => sum + query.cost, 0)
  const answerable = judged.flatMap(({ query, needs }) => (needs === undefined ? [] : [{ query, needs }]))
  const plan = planRollups(
    answerable.map(({ query, needs }) => ({ cost: query.cost, needs })),
    cost,
    rows,
  )
  const queries = judged.map(({ query, needs, reason }): JudgedQuery => {
    const { sql, calls } = query
    const index = answerable.findIndex(one => one.query === query)
    const after = index < 0 ? undefined : plan.costs[index]
    const tables = plan.rollups.filter(one => one.queries.includes(index)).map(tableOfRollup)
    const base = { sql: shortened(sql), calls, cost: query.cost, tables, costAfter: after ?? query.cost }
    if (after !== undefined)
      return { ...base, approximations: [...new Set(needs?.flatMap(need => need.approximations))] }
    return { ...base, reason: reason ?? tooManyRows(needs ?? [], rows), approximations: [] }
  })
  const covered = queries.filter(({ tables }) => tables.length > 0)
  const share = (part: number): number => (cost === 0 ? 0 : part / cost)
  return {
    table,
    statements: log.queries.length,
    onTable: judged.length,
    unparsed,
    unit: log.unit,
    cost,
    coverage: share(covered.reduce((sum, one) => sum + one.cost, 0)),
    saving: share(covered.reduce((sum, one) => sum + one.cost - one.costAfter, 0)),
    sampled: rows.sampled,
    rollups: plan.rollups.map(({ queries: answered, ...rollup }) => ({
      ...rollup,
      table: tableOfRollup(rollup),
      answers: answered.map(index => shortened(answerable[index]!.query.sql)),
    })),
    queries,
    topology: plan.rollups.length === 0 ? undefined : rollupSource(plan.rollups, events, source),
  }
}
