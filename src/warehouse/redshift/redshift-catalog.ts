import type { TableLocation } from '../sql/dialect.js'
import type { SqlSession } from '../sql/session.js'

/** A column as it stands in the catalog. */
export interface CatalogColumn {
  readonly name: string
  /** As `format_type` spells it. */
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
}

/**
 * Columns of a table or view in their order; none where it does not exist. Of PostgreSQL's catalog Redshift has pg_attribute and
 * pg_class: https://docs.aws.amazon.com/redshift/latest/dg/c_join_PG.html
 */
export async function catalogColumns(session: SqlSession, at: TableLocation): Promise<CatalogColumn[]> {
  const { rows } = await session.query(
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef FROM pg_catalog.pg_attribute a
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1::text AND c.relname = $2::text AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [at.schema, at.table],
  )
  return rows.map(([name, type, notNull, hasDefault]) => ({
    name: name as string,
    type: type as string,
    notNull: notNull === 't',
    hasDefault: hasDefault === 't',
  }))
}

/** Names of the columns, in their order. */
export async function columnNames(session: SqlSession, at: TableLocation): Promise<string[]> {
  return (await catalogColumns(session, at)).map(({ name }) => name)
}

/** The comment on a table or view, empty where it has none. https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html */
export async function relationComment(session: SqlSession, id: string): Promise<string> {
  const { rows } = await session.query(
    `SELECT description FROM pg_catalog.pg_description WHERE objoid::bigint = ($1::text)::bigint AND objsubid = 0`,
    [id],
  )
  return rows[0]?.[0] ?? ''
}
