import { beyondShim, RedshiftError } from '../redshift-error.js'
import type { Edit, Statement } from '../statement.js'

/** https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html */
const UNSUPPORTED = new Set(
  `bytea json jsonb xml uuid money inet cidr macaddr bit serial bigserial smallserial serial4 serial8 hstore tsvector tsquery
   point line lseg box path polygon circle int4range int8range numrange tsrange tstzrange daterange oid regclass`.split(
    /\s+/,
  ),
)

const CATALOG_TYPES = new Set(['oid', 'regclass'])

/** Types that Redshift has and PostgreSQL has not. */
const BEYOND = new Set(['super', 'hllsketch', 'geometry', 'geography'])

/** https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html: VARCHAR(MAX) has 65,535 bytes. */
const LONGEST = 65_535

/**
 * A type that begins at a token of a column's definition or a cast: refuses what Redshift has not, and edits what
 * PostgreSQL names differently. In a column's definition TEXT, VARCHAR and BPCHAR without a length have 256 bytes.
 */
export function typeEdits(statement: Statement, at: number, column: string | undefined): Edit[] {
  const type = statement.tokens[at]?.value ?? ''
  if (UNSUPPORTED.has(type) && (column !== undefined || !CATALOG_TYPES.has(type))) throw unsupportedType(column, type)
  if (BEYOND.has(type)) throw beyondShim(`the type ${type.toUpperCase()}`)
  const varying = statement.value(at + 1) === 'varying' ? 1 : 0
  const length = at + 1 + varying
  const hasLength = statement.value(length) === '('
  const end = hasLength ? statement.closing(length) + 1 : length
  if (statement.value(end) === '[') throw unsupportedType(column, `${type}[]`)
  if (statement.has(end, 'array') && column !== undefined) throw unsupportedType(column, `${type} array`)
  // https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html
  if (type === 'varbyte' || type === 'varbinary') return [statement.replacing(at, end, 'bytea')]
  if (statement.has(length, '(', 'max', ')')) return [statement.replacing(length + 1, length + 2, String(LONGEST))]
  if (/^(varchar|nvarchar|text|bpchar)$/.test(type) || (varying && /^(character|char)$/.test(type))) {
    const given = hasLength ? Number(statement.tokens[length + 1]?.text) : undefined
    if (given !== undefined && given > LONGEST) {
      throw new RedshiftError('42601', `length for type character varying cannot exceed ${LONGEST}`)
    }
    if (column !== undefined && given === undefined) return [statement.replacing(at, length, 'varchar(256)')]
    if (type === 'nvarchar') return [statement.replacing(at, at + 1, 'varchar')]
  }
  // Without precision and scale it is a number of 18 digits: https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
  if (column !== undefined && !hasLength && /^(numeric|decimal)$/.test(type)) {
    return [statement.replacing(at, at + 1, 'numeric(18, 0)')]
  }
  return []
}

function unsupportedType(column: string | undefined, type: string): RedshiftError {
  return column === undefined
    ? new RedshiftError('42704', `type "${type}" does not exist`)
    : new RedshiftError('0A000', `Column "${column}" has unsupported type "${type}".`)
}

/** Types of casts; arrays by ARRAY[…] are refused, too. */
export function castTypes(statement: Statement): Statement {
  const edits: Edit[] = []
  statement.tokens.forEach((_, index) => {
    if (statement.value(index) === '::') edits.push(...typeEdits(statement, index + 1, undefined))
    if (statement.has(index, 'cast', '(')) {
      for (let at = index + 2; at < statement.closing(index + 1); at++) {
        if (statement.value(at) === 'as') edits.push(...typeEdits(statement, at + 1, undefined))
      }
    }
    if (statement.has(index, 'array', '[')) throw new RedshiftError('42601', 'syntax error at or near "["')
  })
  const unique = new Map(edits.map(edit => [edit.start, edit]))
  return statement.edited([...unique.values()])
}
