import { createHash } from 'node:crypto'
import { MillraceError, messageOf } from '../../model/errors.js'
import type { TableSpec } from '../../ports/warehouse.js'
import type { TableLocation } from '../sql/dialect.js'
import type { SqlSession } from '../sql/session.js'
import { findRelation, partsOf } from '../sql/table.js'
import type { ViewDefinition, ViewDialect } from '../sql/view-dialect.js'
import { splitView, viewsOf } from '../sql/views.js'
import { columnNames, relationComment } from './redshift-catalog.js'
import { catalogName, quoteName } from './redshift-name.js'
import { redshiftType } from './redshift-type.js'

const EXTREMES = { min: 'bool_and', max: 'bool_or' } as const

/** Redshift's spelling of views. */
const redshiftViews: ViewDialect = {
  quote: quoteName,
  typeName: type => redshiftType({ type }),
  // Redshift has no date_bin; EXTRACT gives whole seconds of a TIMESTAMP: r_EXTRACT_function.html.
  windowStart(timestamp, size) {
    const seconds = size / 1_000
    if (!Number.isInteger(seconds)) {
      throw new MillraceError(
        'WAREHOUSE_TABLE',
        `A coarser view of ${size} ms cannot be had in Redshift. Make it whole seconds.`,
      )
    }
    const windows = `CAST(FLOOR(EXTRACT(EPOCH FROM ${timestamp}) / ${seconds}.0) AS BIGINT)`
    return `TIMESTAMP '1970-01-01 00:00:00' + ${windows} * ${seconds} * INTERVAL '1 second'`
  },
  plus: (timestamp, milliseconds) => `${timestamp} + INTERVAL '${milliseconds / 1_000} seconds'`,
  // Text is ordered by its UTF-8 bytes: https://docs.aws.amazon.com/redshift/latest/dg/c_collation_sequences.html
  extreme: (by, column, type) => (type === 'bool' ? `${EXTREMES[by]}(${column})` : `${by}(${column})`),
}

/** What a comment on a view of ours begins with; a digest of its statement follows, which tells whether it is up to date. */
const MARK = 'Kept by Millrace, version '

interface PlannedView {
  readonly name: string
  readonly sql: string
  readonly columns: readonly string[]
  readonly select: string
  readonly mark: string
  /** The mark and the columns that it has now; undefined where it does not exist. */
  readonly existing: { readonly mark: string; readonly columns: readonly string[] } | undefined
}

/**
 * Creates the views of a table, or changes them. A view is replaced where its columns stay the same, else all are dropped and
 * created again, since Redshift replaces no other. To be called in a transaction, behind the tables.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
 * @throws MillraceError WAREHOUSE_TABLE when something else has a view's name, or depends on one that is to be dropped.
 */
export async function prepareViews(session: SqlSession, at: TableLocation, table: TableSpec): Promise<void> {
  const [open, closed] = partsOf(redshiftViews, at, table)
  const definitions = [
    ...(open && closed ? [splitView(redshiftViews, at.table, table, open.sql, closed.sql)] : []),
    ...viewsOf(redshiftViews, table, at.sql),
  ]
  const views: PlannedView[] = []
  for (const definition of definitions) views.push(await planned(session, at, definition))
  const changed = views.some(({ existing, columns }) => existing && String(existing.columns) !== String(columns))
  if (changed) {
    for (const { sql, existing } of views.toReversed()) if (existing) await dropView(session, sql)
  }
  for (const { sql, select, mark, existing } of views) {
    if (!changed && existing?.mark === mark) continue
    await session.query(`CREATE OR REPLACE VIEW ${sql} AS ${select}`)
    await session.query(`COMMENT ON VIEW ${sql} IS '${mark}'`)
  }
}

async function planned(session: SqlSession, at: TableLocation, definition: ViewDefinition): Promise<PlannedView> {
  const name = catalogName(definition.name)
  const sql = `${quoteName(at.schema)}.${quoteName(name)}`
  const select = definition.select(definition.columns)
  const mark = MARK + createHash('sha256').update(select).digest('hex').slice(0, 16)
  const columns = definition.columns.map(catalogName)
  return { name, sql, columns, select, mark, existing: await existingView(session, { ...at, table: name, sql }) }
}

async function existingView(session: SqlSession, at: TableLocation): Promise<PlannedView['existing']> {
  const relation = await findRelation(session, at.schema, at.table)
  if (!relation) return undefined
  const mark = await relationComment(session, relation.id)
  if (relation.kind === 'v' && mark.startsWith(MARK)) return { mark, columns: await columnNames(session, at) }
  const what = relation.kind === 'v' ? 'a view that Millrace did not make' : 'a table or another relation'
  throw new MillraceError(
    'WAREHOUSE_TABLE',
    `${at.sql} is to be a view of the sink, but is ${what}. Rename or drop it, or give the sink another name; ` +
      'its tables are filled anew from their rows topic.',
  )
}

async function dropView(session: SqlSession, sql: string): Promise<void> {
  try {
    await session.query(`DROP VIEW ${sql}`)
  } catch (thrown) {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `The columns of the view ${sql} change, so that it has to be dropped and created again: ${messageOf(thrown)}. ` +
        'Drop what depends on it, start again, and create that anew.',
      { cause: thrown },
    )
  }
}
