import type { Column } from '../../model/column.js'
import { MillraceError } from '../../model/errors.js'
import { OFFSETS_TABLE } from '../../model/relation-names.js'
import type { TableSpec } from '../../ports/warehouse.js'
import { keyColumns } from '../row/row-key.js'
import type { SqlDatabase, TableLocation } from '../sql/dialect.js'
import { type SqlSession, sqlState } from '../sql/session.js'
import { findRelation, locate, partsOf } from '../sql/table.js'
import { transaction } from '../sql/transaction.js'
import { type CatalogColumn, catalogColumns, relationComment } from './redshift-catalog.js'
import { columnDifferences, keyComment, keyDifferences } from './redshift-differences.js'
import { STAGES } from './redshift-load.js'
import { catalogName, quoteName, quoteNames } from './redshift-name.js'
import { bytesOf, MAX_BYTES, quoteText, redshiftType } from './redshift-type.js'
import { prepareViews } from './redshift-views.js'

/**
 * Creates the table (both of a split one), its views and the offsets table where they are missing, else adds missing nullable
 * columns. Workers that start together wait for one another at the lock on the offsets table.
 * @throws MillraceError WAREHOUSE_TABLE with every difference that cannot be mended; then no table is changed.
 */
export async function prepareRedshift(database: SqlDatabase, table: TableSpec): Promise<void> {
  const { dialect } = database
  keyColumns(table)
  assertDeclarable(table)
  const at = await database.session(async session => {
    await requireRedshift(session, database)
    return locate(session, dialect, table.name)
  })
  await database.session(session => createOffsets(session, at))
  await transaction(database, async session => {
    await dialect.lockOffsets(session, at)
    const parts = partsOf(dialect, at, table)
    const missing: [TableLocation, Column][] = []
    const differences: string[] = []
    for (const part of parts) {
      const existing = await findRelation(session, part.schema, part.table)
      if (!existing) continue
      const columns = await catalogColumns(session, part)
      if (existing.kind !== 'r') differences.push(`${part.sql} is no table, but a view or another relation`)
      else differences.push(...columnDifferences(part, table, columns))
      differences.push(...keyDifferences(part, table, await relationComment(session, existing.id)))
      missing.push(...missingColumns(table, columns).map(column => [part, column] as [TableLocation, Column]))
    }
    if (differences.length > 0) {
      throw new MillraceError(
        'WAREHOUSE_TABLE',
        `Table ${at.sql} does not fit the rows of its sink:\n${differences.map(text => `  - ${text}`).join('\n')}\n` +
          'Change it as shown, give the sink another table, or drop it: it is then created and filled anew.',
      )
    }
    for (const part of parts) {
      if (await findRelation(session, part.schema, part.table)) continue
      await session.query(createTable(part, table))
      await session.query(`COMMENT ON TABLE ${part.sql} IS ${quoteText(keyComment(table))}`)
    }
    // One column a statement: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    for (const [part, column] of missing) {
      await session.query(`ALTER TABLE ${part.sql} ADD COLUMN ${columnDefinition(column)}`)
    }
    await prepareViews(session, at, table)
  })
}

function missingColumns(table: TableSpec, existing: readonly CatalogColumn[]): Column[] {
  return table.columns.filter(({ name }) => !existing.some(found => found.name === catalogName(name)))
}

/** What no table of Redshift can be. */
function assertDeclarable(table: TableSpec): void {
  const problems: string[] = []
  const names = new Map<string, string>()
  for (const { name, type, maxBytes } of table.columns) {
    const other = names.get(catalogName(name))
    if (other !== undefined) problems.push(`columns "${other}" and "${name}" have one name in Redshift, in lower case`)
    names.set(catalogName(name), name)
    const longest = type === 'text' || type === 'bytes' ? MAX_BYTES[type] : undefined
    if (longest !== undefined && (bytesOf({ type, ...(maxBytes && { maxBytes }) }) > longest || maxBytes === 0)) {
      problems.push(`column "${name}" has maxBytes ${maxBytes}; Redshift takes 1 to ${longest}`)
    }
  }
  if (Object.values<string>(STAGES).includes(catalogName(table.name.slice(table.name.lastIndexOf('.') + 1)))) {
    problems.push('its name is that of a temporary table of each flush')
  }
  if (problems.length === 0) return
  throw new MillraceError('WAREHOUSE_TABLE', `Table "${table.name}" cannot be in Redshift: ${problems.join('; ')}.`)
}

async function requireRedshift(session: SqlSession, database: SqlDatabase): Promise<void> {
  const version = (await session.query('SELECT version()')).rows[0]?.[0] ?? ''
  if (version.includes('Redshift')) return
  throw new MillraceError('WAREHOUSE', `${database.name} is no Redshift: ${version}. Use postgres:// for PostgreSQL.`)
}

/**
 * CREATE SCHEMA needs the right to create schemas even where the schema exists, so look first.
 * @throws MillraceError WAREHOUSE_TABLE with the statement that is wanted where it cannot be created.
 */
async function createSchema(session: SqlSession, at: TableLocation): Promise<void> {
  const { rows } = await session.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1::text', [at.schema])
  if (rows.length > 0) return
  const create = `CREATE SCHEMA IF NOT EXISTS ${quoteName(at.schema)}`
  try {
    await session.query(create)
  } catch (thrown) {
    if (sqlState(thrown) !== '42501') throw thrown
    throw new MillraceError(
      'WAREHOUSE_TABLE',
      `The schema of table ${at.sql} does not exist, and this user may not create it. Let an administrator run ` +
        `CREATE SCHEMA ${quoteName(at.schema)} AUTHORIZATION with the user's name.`,
      { cause: thrown },
    )
  }
}

/**
 * Outside of the transaction, because its first statement locks this table. On every node, as it is small and joined with
 * nothing: https://docs.aws.amazon.com/redshift/latest/dg/c_choosing_dist_sort.html
 */
async function createOffsets(session: SqlSession, at: TableLocation): Promise<void> {
  const exists = () => findRelation(session, at.schema, OFFSETS_TABLE)
  if (await exists()) return
  try {
    await createSchema(session, at)
    await session.query(`CREATE TABLE IF NOT EXISTS ${at.offsets} (
      sink VARCHAR(512) NOT NULL,
      "partition" INTEGER NOT NULL,
      next_offset BIGINT NOT NULL,
      owner VARCHAR(64) NOT NULL,
      epoch BIGINT NOT NULL,
      topic_id VARCHAR(64),
      table_id VARCHAR(64),
      as_of TIMESTAMP,
      PRIMARY KEY (sink, "partition")
    ) DISTSTYLE ALL`)
  } catch (thrown) {
    // Another worker created it at the same time.
    if (!(await exists().catch(() => false))) throw thrown
  }
}

/**
 * The key is declared for the planner, which believes it; nothing enforces it, the merges keep it. Without a distribution key it is
 * DISTSTYLE AUTO: Redshift keeps small tables on every node and distributes them as they grow. Sort keys are compound, for ranges
 * of their first columns; encodings, and a sort key that nobody named, are Redshift's choice.
 * https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html, c_choosing_dist_sort.html, t_Sorting_data.html
 */
function createTable(at: TableLocation, table: TableSpec): string {
  const columns = table.columns.map(columnDefinition)
  if (!keyColumns(table).some(column => column.nullable)) columns.push(`PRIMARY KEY (${quoteNames(table.key)})`)
  const distribution =
    table.distKey === undefined ? 'DISTSTYLE AUTO' : `DISTSTYLE KEY DISTKEY (${quoteName(table.distKey)})`
  const sorting = table.sortKey.length === 0 ? 'SORTKEY AUTO' : `COMPOUND SORTKEY (${quoteNames(table.sortKey)})`
  return `CREATE TABLE ${at.sql} (${columns.join(', ')}) ${distribution} ${sorting}`
}

function columnDefinition(column: Column): string {
  return `${quoteName(column.name)} ${redshiftType(column)}${column.nullable ? '' : ' NOT NULL'}`
}
