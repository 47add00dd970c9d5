import type { Column } from '../../model/column.js'
import type { Row } from '../../ports/warehouse.js'
import type { SqlSession } from '../sql/session.js'
import { literal, redshiftType } from './redshift-type.js'

/**
 * Characters of one INSERT. A statement has at most 16 MB (https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html),
 * and a character at most 4 bytes.
 */
const STATEMENT_CHARACTERS = 2 * 1024 * 1024

/** A temporary table that holds the rows of a flush, in the order of `columns`, until they are merged. */
export interface Stage {
  readonly name: string
  readonly columns: readonly Column[]
}

/** The name of a column in a stage. */
export function stageColumn(stage: Stage, column: Column): string {
  return `${stage.name}.x${stage.columns.indexOf(column)}`
}

/**
 * Creates a stage, to be dropped before the transaction ends; how its rows are distributed is left to Redshift.
 */
export async function createStage(session: SqlSession, { name, columns }: Stage): Promise<void> {
  const defined = columns.map((column, index) => `x${index} ${redshiftType(column)}`)
  await session.query(`CREATE TEMPORARY TABLE ${name} (${defined.join(', ')})`)
}

export async function dropStage(session: SqlSession, { name }: Stage): Promise<void> {
  await session.query(`DROP TABLE ${name}`)
}

/** INSERT statements with several rows each. https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-multi-row-inserts.html */
export function* insertStatements({ name, columns }: Stage, rows: readonly Row[]): Iterable<string> {
  let values: string[] = []
  let characters = 0
  for (const row of rows) {
    const text = `(${columns.map((column, index) => literal(row[index] ?? null, column)).join(', ')})`
    if (characters > 0 && characters + text.length > STATEMENT_CHARACTERS) {
      yield `INSERT INTO ${name} VALUES ${values.join(', ')}`
      values = []
      characters = 0
    }
    values.push(text)
    characters += text.length
  }
  if (values.length > 0) yield `INSERT INTO ${name} VALUES ${values.join(', ')}`
}
