import type { Column } from '../../model/column.js'
import type { Row, RowKey, TableSpec } from '../../ports/warehouse.js'
import { keyColumns, keyOf } from '../row/row-key.js'
import type { TableLocation } from '../sql/dialect.js'
import { quoteName, quoteNames } from './redshift-name.js'
import { type Stage, stageColumn } from './stage.js'

/** Which columns of a key are NULL, for every such choice among some keys. */
export type NullPatterns = readonly (readonly boolean[])[]

export function nullPatterns(keys: readonly RowKey[]): NullPatterns {
  const patterns = new Map(keys.map(key => key.map(value => value === null)).map(nulls => [String(nulls), nulls]))
  return [...patterns.values()]
}

export function nullPatternsOf(rows: readonly Row[], table: TableSpec): NullPatterns {
  return nullPatterns(rows.map(row => keyOf(row, table)))
}

/**
 * Deletes the rows of a table whose keys are in a stage; NULL matches NULL. Redshift has no IS NOT DISTINCT FROM, and an OR
 * would make the join a nested loop, so that there is one statement a choice of NULLs.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
 */
export function deleteStatements(at: TableLocation, table: TableSpec, stage: Stage, patterns: NullPatterns): string[] {
  return patterns.map(nulls => `DELETE FROM ${at.sql} USING ${stage.name} WHERE ${sameKey(at, table, stage, nulls)}`)
}

/** Deletes from a stage the rows whose keys are in a table. */
export function unstageStatements(at: TableLocation, table: TableSpec, stage: Stage, patterns: NullPatterns): string[] {
  return patterns.map(nulls => `DELETE FROM ${stage.name} USING ${at.sql} WHERE ${sameKey(at, table, stage, nulls)}`)
}

/**
 * Merges a stage into a table. A NULL in a key never matches, so rows with such keys are deleted first and inserted by the MERGE.
 * @param exact the table has the columns of the stage and no others, in the same order, so that REMOVE DUPLICATES takes it: it
 * replaces rows instead of updating them.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
 */
export function mergeStatements(
  at: TableLocation,
  table: TableSpec,
  stage: Stage,
  patterns: NullPatterns,
  exact: boolean,
): string[] {
  const withNull = patterns.filter(nulls => nulls.includes(true))
  const on = sameKey(
    at,
    table,
    stage,
    table.key.map(() => false),
  )
  const merge = `MERGE INTO ${at.sql} USING ${stage.name} ON ${on}`
  return [
    ...deleteStatements(at, table, stage, withNull),
    exact ? `${merge} REMOVE DUPLICATES` : `${merge} ${clauses(table, stage)}`,
  ]
}

function clauses(table: TableSpec, stage: Stage): string {
  const others = table.columns.filter(({ name }) => !table.key.includes(name))
  // UPDATE needs a column; one of the key keeps its value.
  const updated = others.length > 0 ? others : keyColumns(table).slice(0, 1)
  const update = updated.map(column => `${quoteName(column.name)} = ${stageColumn(stage, column)}`).join(', ')
  const values = table.columns.map(column => stageColumn(stage, column)).join(', ')
  const names = quoteNames(table.columns.map(({ name }) => name))
  return `WHEN MATCHED THEN UPDATE SET ${update} WHEN NOT MATCHED THEN INSERT (${names}) VALUES (${values})`
}

function sameKey(at: TableLocation, table: TableSpec, stage: Stage, nulls: readonly boolean[]): string {
  return keyColumns(table)
    .map((column, index) => condition(at, column, stage, nulls[index] ?? false))
    .join(' AND ')
}

/** The target of DELETE and MERGE has no alias, so its columns are qualified by its name. */
function condition(at: TableLocation, column: Column, stage: Stage, isNull: boolean): string {
  const [target, source] = [`${quoteName(at.table)}.${quoteName(column.name)}`, stageColumn(stage, column)]
  return isNull ? `${target} IS NULL AND ${source} IS NULL` : `${target} = ${source}`
}
