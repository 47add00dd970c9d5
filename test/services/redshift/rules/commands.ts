import { unsupported } from '../redshift-error.js'
import type { Statement } from '../statement.js'

/**
 * Commands that Redshift has not: https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
 * and those that its list of commands leaves out: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
 */
const UNSUPPORTED = [
  'create index',
  'create unique index',
  'drop index',
  'create trigger',
  'create sequence',
  'create type',
  'create domain',
  'create extension',
  'create rule',
  'create tablespace',
  'create unlogged table',
  'savepoint',
  'release',
  'rollback to',
  'listen',
  'notify',
  'unlisten',
  'discard',
  'do',
  'reindex',
  'cluster',
  'values',
  'table',
].map(command => command.split(' '))

/** Refuses commands that Redshift does not have. */
export function refuseCommands(statement: Statement): Statement {
  const refused = UNSUPPORTED.find(words => statement.has(0, ...words))
  if (refused) throw unsupported(`SQL command "${refused.join(' ').toUpperCase()}"`)
  // https://docs.aws.amazon.com/redshift/latest/dg/t_Loading_tables_with_the_COPY_command.html: only from S3, EMR, DynamoDB and hosts.
  if (statement.command === 'copy' && statement.find('stdin') > 0) throw unsupported('COPY FROM STDIN')
  if (statement.command === 'copy' && statement.find('stdout') > 0) throw unsupported('COPY TO STDOUT')
  return statement
}
