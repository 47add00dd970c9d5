import type { Column, ColumnValue } from '../../model/column.js'
import { MillraceError } from '../../model/errors.js'
import { closedTable, OFFSETS_TABLE, openTable } from '../../model/relation-names.js'
import type { TableSpec } from '../../ports/warehouse.js'
import type { SqlDialect, TableLocation } from './dialect.js'
import { splitTableName } from './identifier.js'
import type { SqlSession, TextRow } from './session.js'

/**
 * Schema and quoted names of a table; without a schema in its name it is in the session's current one.
 * @throws MillraceError WAREHOUSE_TABLE when the name is no identifier or the session has no current schema.
 */
export async function locate(session: SqlSession, dialect: SqlDialect, name: string): Promise<TableLocation> {
  const parts = splitTableName(dialect.catalogName(name))
  const schema = parts.schema ?? (await session.query('SELECT current_schema()::text')).rows[0]?.[0]
  if (!schema) {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `Table "${name}" has no schema, and the search_path of the connection names none that exists. Write schema.${name}.`,
    )
  }
  if (parts.table === OFFSETS_TABLE) {
    throw new MillraceError('WAREHOUSE_TABLE', `"${name}" is the table of offsets. Give the sink another table.`)
  }
  const within = (table: string) => `${dialect.quote(schema)}.${dialect.quote(table)}`
  return { schema, table: parts.table, sql: within(parts.table), offsets: within(OFFSETS_TABLE) }
}

/** The tables that hold the rows: that of open and that of closed windows where the table is split. */
export function partsOf(
  { quote }: Pick<SqlDialect, 'quote'>,
  at: TableLocation,
  { split }: Pick<TableSpec, 'split'>,
): readonly TableLocation[] {
  if (!split) return [at]
  return [openTable, closedTable].map(nameOf => {
    const table = nameOf(at.table)
    return { ...at, table, sql: `${quote(at.schema)}.${quote(table)}` }
  })
}

/**
 * The id in the catalog of the table, or of both of a split one, which changes when one is dropped and created again; undefined where
 * one does not exist.
 */
export async function tableId(
  session: SqlSession,
  dialect: SqlDialect,
  at: TableLocation,
  table: Pick<TableSpec, 'split'>,
): Promise<string | undefined> {
  const ids: string[] = []
  for (const part of partsOf(dialect, at, table)) {
    const relation = await findRelation(session, part.schema, part.table)
    if (!relation) return undefined
    ids.push(relation.id)
  }
  return ids.join('+')
}

/** Id and kind (`pg_class.relkind`) of a table or view; undefined where it does not exist. */
export async function findRelation(session: SqlSession, schema: string, table: string) {
  const { rows } = await session.query(
    `SELECT (c.oid::bigint)::text, c.relkind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::text AND c.relname = $2::text`,
    [schema, table],
  )
  const row = rows[0]
  return row ? { id: row[0] as string, kind: row[1] as string } : undefined
}

/** The columns as a SELECT reads them. */
export function selectList(dialect: SqlDialect, columns: readonly Column[]): string {
  return columns.map(({ name, type }) => dialect.textExpression(dialect.quote(name), type)).join(', ')
}

/** Values from the texts of {@link selectList}. */
export function fromTexts(dialect: SqlDialect, texts: TextRow, columns: readonly Column[]): ColumnValue[] {
  return columns.map((column, index) => dialect.fromText(texts[index] ?? null, column.type))
}
