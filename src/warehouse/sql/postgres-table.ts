import type { Column } from '../../model/column.js'
import { MillraceError } from '../../model/errors.js'
import { OFFSETS_TABLE } from '../../model/relation-names.js'
import type { TableSpec } from '../../ports/warehouse.js'
import { keyColumns } from '../row/row-key.js'
import type { TableLocation } from './dialect.js'
import { quoteIdentifier, quoteList } from './identifier.js'
import { postgresViews, prepareViews } from './postgres-views.js'
import type { SqlSession } from './session.js'
import { SQL_TYPES } from './sql-type.js'
import { findRelation, partsOf } from './table.js'

/** A column as it stands in the database. */
interface ExistingColumn {
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly generated: boolean
}

/**
 * Creates the table (both of a split one), its views and the offsets table where they are missing, else adds missing nullable
 * columns. To be called in a transaction, which serializes workers that start together.
 * @throws MillraceError WAREHOUSE_TABLE with every difference that cannot be mended; then nothing is changed.
 */
export async function prepareTable(session: SqlSession, at: TableLocation, table: TableSpec): Promise<void> {
  await session.query(`SELECT pg_advisory_xact_lock(hashtext('millrace'))::text`)
  await createSchema(session, at)
  await createOffsets(session, at)
  for (const part of partsOf(postgresViews, at, table)) await prepareOne(session, part, table)
  await prepareViews(session, at, table)
}

async function prepareOne(session: SqlSession, at: TableLocation, table: TableSpec): Promise<void> {
  const nullableKey = keyColumns(table).some(column => column.nullable)
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
