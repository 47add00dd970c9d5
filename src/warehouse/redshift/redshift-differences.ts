import type { Column } from '../../model/column.js'
import type { TableSpec } from '../../ports/warehouse.js'
import type { TableLocation } from '../sql/dialect.js'
import type { CatalogColumn } from './redshift-catalog.js'
import { catalogName, quoteName } from './redshift-name.js'
import { bytesOf, redshiftType } from './redshift-type.js'

/**
 * What keeps an existing table from holding the rows of its sink, and what to do. Of a column Redshift changes nothing but
 * the length of a VARCHAR. https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
 */
export function columnDifferences(
  at: TableLocation,
  table: TableSpec,
  existing: readonly CatalogColumn[],
): readonly string[] {
  const known = new Set(table.columns.map(({ name }) => catalogName(name)))
  return [
    ...table.columns.flatMap(column =>
      differences(
        at,
        column,
        existing.find(({ name }) => name === catalogName(column.name)),
      ),
    ),
    ...existing
      .filter(({ name, notNull, hasDefault }) => !known.has(name) && notNull && !hasDefault)
      .map(({ name }) => {
        const shown = quoteName(name)
        return `column ${shown} is not among the sink's columns and is NOT NULL: ALTER TABLE ${at.sql} DROP COLUMN ${shown}`
      }),
  ]
}

function differences(at: TableLocation, column: Column, found: CatalogColumn | undefined): string[] {
  const shown = quoteName(column.name)
  const type = redshiftType(column)
  if (!found) {
    if (column.nullable) return []
    const add = `ALTER TABLE ${at.sql} ADD COLUMN ${shown} ${type} NOT NULL DEFAULT …`
    return [`column ${shown} is missing and cannot be added, because it is not nullable: ${add}`]
  }
  const texts: string[] = []
  const length = lengthOf(found.type, column)
  if (length === undefined) {
    texts.push(`column ${shown} has type ${found.type}, not ${type}, and Redshift changes no types: create it anew`)
  } else if (length < bytesOf(column)) {
    const alter = `ALTER TABLE ${at.sql} ALTER COLUMN ${shown} TYPE ${type}`
    const change = column.type === 'text' ? alter : 'create it anew'
    texts.push(`column ${shown} has type ${found.type}, which is shorter than ${type}: ${change}`)
  }
  if (found.notNull && column.nullable) {
    texts.push(`column ${shown} is NOT NULL, but its values may be null, and Redshift keeps that: create it anew`)
  }
  return texts
}

/**
 * What a comment on a table of ours begins with; its key follows, since Redshift has no unique index that would tell it. Rows of
 * another key may be there more than once.
 */
const MARK = 'Kept by Millrace, key '

export function keyComment(table: TableSpec): string {
  return `${MARK}${table.key.map(catalogName).join(', ')}`
}

/** A table that somebody else made says nothing about its key. */
export function keyDifferences(at: TableLocation, table: TableSpec, comment: string): readonly string[] {
  if (!comment.startsWith(MARK) || comment === keyComment(table)) return []
  return [`the key of ${at.sql} is ${comment.slice(MARK.length)}, not ${table.key.join(', ')}: create it anew`]
}

/** How many bytes a column of this type takes, Infinity where its type has no length; undefined where the type is another one. */
function lengthOf(found: string, column: Column): number | undefined {
  const [, name, length] = /^(.*?)(?:\((\d+)\))?$/.exec(found) ?? []
  if (column.type === 'text') return name === 'character varying' ? Number(length ?? Infinity) : undefined
  if (column.type === 'bytes') {
    return name === 'binary varying' || name === 'varbyte' ? Number(length ?? Infinity) : undefined
  }
  return found === redshiftType(column) ? Infinity : undefined
}
