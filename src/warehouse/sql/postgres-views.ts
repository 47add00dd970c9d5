import { createHash } from 'node:crypto'
import { MillraceError } from '../../model/errors.js'
import { closedTable, openTable } from '../../model/relation-names.js'
import type { TableSpec } from '../../ports/warehouse.js'
import type { TableLocation } from './dialect.js'
import { quoteIdentifier } from './identifier.js'
import type { SqlSession } from './session.js'
import { SQL_TYPES } from './sql-type.js'
import { findRelation } from './table.js'
import type { ViewDefinition, ViewDialect } from './view-dialect.js'
import { splitView, viewsOf } from './views.js'

const EXTREMES = { min: 'bool_and', max: 'bool_or' } as const

/** PostgreSQL's spelling of views. */
export const postgresViews: ViewDialect = {
  quote: quoteIdentifier,
  typeName: type => SQL_TYPES[type],
  windowStart: (timestamp, size) =>
    `date_bin(INTERVAL '${size} milliseconds', ${timestamp}, TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00+00')`,
  plus: (timestamp, milliseconds) => `${timestamp} + INTERVAL '${milliseconds} milliseconds'`,
  extreme(by, column, type) {
    if (type === 'bool') return `${EXTREMES[by]}(${column})`
    return `${by}(${column}${type === 'text' ? ' COLLATE "C"' : ''})`
  },
}

/** What a comment on a view of ours begins with; a digest of its statement follows, which tells whether it is up to date. */
const MARK = 'Kept by Millrace, version '

interface ExistingView {
  readonly id: string
  readonly mark: string
  readonly columns: readonly string[]
}

/**
 * Creates the views of a table, or changes them: columns are added at the end, which keeps grants and what depends on the
 * view; a view that loses a column is dropped and created again. To be called in a transaction, behind the tables.
 * @throws MillraceError WAREHOUSE_TABLE when something else has a view's name, or depends on one that is to be dropped.
 */
export async function prepareViews(session: SqlSession, at: TableLocation, table: TableSpec): Promise<void> {
  const within = (name: string) => `${quoteIdentifier(at.schema)}.${quoteIdentifier(name)}`
  const parts = [openTable(at.table), closedTable(at.table)].map(within) as [string, string]
  const views = [
    ...(table.split ? [splitView(postgresViews, at.table, table, ...parts)] : []),
    ...viewsOf(postgresViews, table, at.sql),
  ]
  const existing = new Map<string, ExistingView>()
  for (const { name } of views) {
    const found = await existingView(session, at, name)
    if (found) existing.set(name, found)
  }
  const narrowed = (view: ViewDefinition) =>
    existing.get(view.name)?.columns.some(column => !view.columns.includes(column)) === true
  // The others read the first one, where that is the view of a split table.
  const [first] = views
  const dropped = table.split && first && narrowed(first) ? views : views.filter(narrowed)
  for (const view of dropped.toReversed()) {
    const found = existing.get(view.name)
    if (!found) continue
    await requireFree(session, found, within(view.name))
    await session.query(`DROP VIEW ${within(view.name)}`)
    existing.delete(view.name)
  }
  for (const view of views) await createView(session, within(view.name), view, existing.get(view.name))
}

async function createView(
  session: SqlSession,
  sql: string,
  view: ViewDefinition,
  existing: ExistingView | undefined,
): Promise<void> {
  const known = existing?.columns ?? []
  const select = view.select([...known, ...view.columns.filter(column => !known.includes(column))])
  const mark = MARK + createHash('sha256').update(select).digest('hex').slice(0, 16)
  if (existing?.mark === mark) return
  await session.query(`CREATE OR REPLACE VIEW ${sql} AS ${select}`)
  await session.query(`COMMENT ON VIEW ${sql} IS '${mark}'`)
}

/** @throws MillraceError WAREHOUSE_TABLE when the name is that of something else. */
async function existingView(session: SqlSession, at: TableLocation, name: string): Promise<ExistingView | undefined> {
  const relation = await findRelation(session, at.schema, name)
  if (!relation) return undefined
  const sql = `${quoteIdentifier(at.schema)}.${quoteIdentifier(name)}`
  const { rows } = await session.query(`SELECT obj_description(($1::text)::oid, 'pg_class')`, [relation.id])
  const mark = rows[0]?.[0] ?? ''
  if (relation.kind !== 'v' || !mark.startsWith(MARK)) {
    const what = relation.kind === 'v' ? 'a view that Millrace did not make' : 'a table or another relation'
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `${sql} is to be a view of the sink, but is ${what}. Rename or drop it, or give the sink another name; ` +
        'its tables are filled anew from their rows topic.',
    )
  }
  const { rows: columns } = await session.query(
    `SELECT attname::text FROM pg_catalog.pg_attribute
     WHERE attrelid = ($1::text)::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [relation.id],
  )
  return { id: relation.id, mark, columns: columns.map(([column]) => column as string) }
}

/** @throws MillraceError WAREHOUSE_TABLE when other views read this one, which is to be dropped. */
async function requireFree(session: SqlSession, { id }: ExistingView, sql: string): Promise<void> {
  const { rows } = await session.query(
    `SELECT DISTINCT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_depend d
     JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
     JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = ($1::text)::oid AND c.oid <> d.refobjid ORDER BY 1`,
    [id],
  )
  if (rows.length === 0) return
  throw new MillraceError(
    'WAREHOUSE_TABLE',
    `The view ${sql} loses a column, so that it has to be dropped and created again, and other views read it: ` +
      `${rows.map(([name]) => name).join(', ')}. Drop them, start again, and create them anew.`,
  )
}
