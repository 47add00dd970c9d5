import type { Column } from '../../model/column.js'
import { MillraceError } from '../../model/errors.js'
import type { TableSpec } from '../../ports/warehouse.js'
import { keyColumns } from '../row/row-key.js'
import type { SqlSession } from './database.js'
import { quoteIdentifier, quoteList, splitTableName } from './identifier.js'
import { SQL_TYPES } from './sql-type.js'

/** The table of offsets, which stands in the schema of the tables that it speaks for. */
const OFFSETS_TABLE = 'millrace_offsets'

/** Where a table is. */
export interface TableLocation {
  readonly schema: string
  readonly table: string
  /** Quoted, with its schema. */
  readonly sql: string
  /** The offsets table of this schema, quoted. */
  readonly offsets: string
}

/** A column as it stands in the database. */
interface ExistingColumn {
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly generated: boolean
}

/**
 * Schema and quoted names of a table; without a schema in its name it is in the session's current one.
 * @throws MillraceError WAREHOUSE_TABLE when the name is no identifier or the session has no current schema.
 */
export async function locate(session: SqlSession, name: string): Promise<TableLocation> {
  const parts = splitTableName(name)
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
  const within = (table: string) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
  return { schema, table: parts.table, sql: within(parts.table), offsets: within(OFFSETS_TABLE) }
}

/** The table's id in the catalog, which changes when it is dropped and created again; undefined where it does not exist. */
export async function tableId(session: SqlSession, at: TableLocation): Promise<string | undefined> {
  return (await findRelation(session, at.schema, at.table))?.id
}

async function findRelation(session: SqlSession, schema: string, table: string) {
  const { rows } = await session.query(
    `SELECT c.oid::text, c.relkind::text FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::text AND c.relname = $2::text`,
    [schema, table],
  )
  const row = rows[0]
  return row ? { id: row[0] as string, kind: row[1] as string } : undefined
}

/**
 * Creates the table and the offsets table where they are missing, else adds missing nullable columns. To be called in a
 * transaction, which serializes workers that start together.
 * @throws MillraceError WAREHOUSE_TABLE with every difference that cannot be mended; then nothing is changed.
 */
export async function prepareTable(session: SqlSession, at: TableLocation, table: TableSpec): Promise<void> {
  const nullableKey = keyColumns(table).some(column => column.nullable)
  await session.query(`SELECT pg_advisory_xact_lock(hashtext('millrace'))::text`)
  await createSchema(session, at)
  await createOffsets(session, at)
  const existing = await findRelation(session, at.schema, at.table)
  if (!existing) return createTable(session, at, table, nullableKey)
  const columns = await readColumns(session, existing.id)
  const missing = table.columns.filter(column => !columns.has(column.name))
  const differences = [
    ...(existing.kind === 'r' || existing.kind === 'p' ? [] : ['it is no table, but a view or another relation']),
    ...columnDifferences(at, table, columns),
    ...(await keyDifferences(session, existing.id, at, table, nullableKey)),
  ]
  if (differences.length > 0) {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `Table ${at.sql} does not fit the rows of its sink:\n${differences.map(text => `  - ${text}`).join('\n')}\n` +
        'Change it as shown, give the sink another table, or drop it: it is then created and filled anew.',
    )
  }
  for (const column of missing) {
    await session.query(`ALTER TABLE ${at.sql} ADD COLUMN ${columnDefinition(column)}`)
  }
}

/**
 * CREATE SCHEMA IF NOT EXISTS needs the right to create schemas even where the schema exists, so look first.
 * @throws MillraceError WAREHOUSE_TABLE with the statements that are wanted where the user may not create it.
 */
async function createSchema(session: SqlSession, at: TableLocation): Promise<void> {
  const { rows } = await session.query('SELECT 1::text FROM pg_catalog.pg_namespace WHERE nspname = $1::text', [
    at.schema,
  ])
  if (rows.length > 0) return
  const schema = quoteIdentifier(at.schema)
  const { rows: asked } = await session.query(
    `SELECT has_database_privilege(current_database(), 'CREATE')::text, current_user::text, current_database()::text`,
  )
  const [allowed, user, database] = asked[0] as string[]
  if (allowed === 'false') {
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `The schema of table ${at.sql} does not exist, and the user "${user}" may not create schemas in the database "${database}". Let an administrator run: CREATE SCHEMA ${schema} AUTHORIZATION ${quoteIdentifier(user as string)}`,
    )
  }
  await session.query(`CREATE SCHEMA ${schema}`)
}

async function createOffsets(session: SqlSession, at: TableLocation): Promise<void> {
  if (await findRelation(session, at.schema, OFFSETS_TABLE)) return
  await session.query(`CREATE TABLE ${at.offsets} (
    sink text NOT NULL,
    "partition" integer NOT NULL,
    next_offset bigint NOT NULL,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    topic_id text,
    table_id text,
    as_of timestamptz,
    PRIMARY KEY (sink, "partition")
  )`)
}

/**
 * A primary key, or a unique index that takes NULLs for equal where a key column may be NULL. Its columns begin with those
 * of the sort key, so that it serves range queries on them.
 */
async function createTable(
  session: SqlSession,
  at: TableLocation,
  table: TableSpec,
  nullableKey: boolean,
): Promise<void> {
  const columns = table.columns.map(columnDefinition)
  const key = quoteList([
    ...table.sortKey.filter(name => table.key.includes(name)),
    ...table.key.filter(name => !table.sortKey.includes(name)),
  ])
  if (!nullableKey) columns.push(`PRIMARY KEY (${key})`)
  await session.query(`CREATE TABLE ${at.sql} (${columns.join(', ')})`)
  if (nullableKey) await session.query(`CREATE UNIQUE INDEX ON ${at.sql} (${key}) NULLS NOT DISTINCT`)
}

function columnDefinition({ name, type, nullable }: Column): string {
  return `${quoteIdentifier(name)} ${SQL_TYPES[type]}${nullable ? '' : ' NOT NULL'}`
}

async function readColumns(session: SqlSession, table: string): Promise<Map<string, ExistingColumn>> {
  const { rows } = await session.query(
    `SELECT attname::text, format_type(atttypid, atttypmod), attnotnull::text, (atthasdef OR attidentity <> '')::text,
       (attgenerated <> '' OR attidentity = 'a')::text
     FROM pg_catalog.pg_attribute WHERE attrelid = ($1::text)::oid AND attnum > 0 AND NOT attisdropped`,
    [table],
  )
  return new Map(
    rows.map(([name, type, notNull, hasDefault, generated]) => [
      name as string,
      {
        type: type as string,
        notNull: notNull === 'true',
        hasDefault: hasDefault === 'true',
        generated: generated === 'true',
      },
    ]),
  )
}

function columnDifferences(at: TableLocation, table: TableSpec, existing: Map<string, ExistingColumn>): string[] {
  const alter = (name: string, change: string) =>
    `ALTER TABLE ${at.sql} ALTER COLUMN ${quoteIdentifier(name)} ${change}`
  const differences: string[] = []
  for (const column of table.columns) {
    const found = existing.get(column.name)
    const type = SQL_TYPES[column.type]
    const shown = quoteIdentifier(column.name)
    if (!found) {
      if (column.nullable) continue
      const add = `ALTER TABLE ${at.sql} ADD COLUMN ${columnDefinition(column)} DEFAULT …`
      differences.push(`column ${shown} is missing and cannot be added, because it is not nullable: ${add}`)
      continue
    }
    if (found.type !== type) {
      const using = `TYPE ${type} USING ${shown}::${type}`
      differences.push(`column ${shown} has type ${found.type}, not ${type}: ${alter(column.name, using)}`)
    }
    if (found.generated) differences.push(`column ${shown} is computed by the database, so it cannot be written`)
    if (found.notNull && column.nullable) {
      differences.push(
        `column ${shown} is NOT NULL, but its values may be null: ${alter(column.name, 'DROP NOT NULL')}`,
      )
    }
  }
  const known = new Set(table.columns.map(column => column.name))
  for (const [name, { notNull, hasDefault }] of existing) {
    if (known.has(name) || !notNull || hasDefault) continue
    const shown = quoteIdentifier(name)
    differences.push(`column ${shown} is not among the sink's columns and is NOT NULL: ${alter(name, 'DROP NOT NULL')}`)
  }
  return differences
}

/** Rows are updated by a unique index on exactly the key; NULLs must be equal in it where a key column may be NULL. */
async function keyDifferences(
  session: SqlSession,
  id: string,
  at: TableLocation,
  table: TableSpec,
  nullableKey: boolean,
): Promise<string[]> {
  const { rows } = await session.query(
    `SELECT i.indexrelid::text, i.indnullsnotdistinct::text, a.attname::text
     FROM pg_catalog.pg_index i
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = ($1::text)::oid AND i.indisunique AND i.indimmediate AND i.indisvalid
       AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts`,
    [id],
  )
  const indexes = new Map<string, { readonly nullsEqual: boolean; readonly columns: Set<string> }>()
  for (const [index, nullsEqual, column] of rows) {
    const entry = indexes.get(index as string) ?? { nullsEqual: nullsEqual === 'true', columns: new Set<string>() }
    indexes.set(index as string, entry)
    entry.columns.add(column as string)
  }
  const fits = [...indexes.values()].some(
    ({ nullsEqual, columns }) =>
      columns.size === table.key.length && table.key.every(name => columns.has(name)) && (nullsEqual || !nullableKey),
  )
  if (fits) return []
  const nulls = nullableKey ? ' NULLS NOT DISTINCT' : ''
  const create = `CREATE UNIQUE INDEX ON ${at.sql} (${quoteList(table.key)})${nulls}`
  return [`it has no unique index on exactly the key columns${nullableKey ? ', with NULLs equal' : ''}: ${create}`]
}
