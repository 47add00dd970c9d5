import { readFileSync } from 'node:fs'
import { EventColumns } from '../advise/event-columns.js'
import { readQueryLog } from '../advise/query-log.js'
import { assumedRows, sampledRows } from '../advise/row-estimate.js'
import { adviseSql, type SqlAdvice } from '../advise/sql-advice.js'
import { type SqlDialect, sqlParser } from '../advise/sql-parser.js'
import type { AvroSchema } from '../model/avro-schema.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { readSchemaDirectory, readSchemaFile, type SchemaFile } from '../serde/schema-files.js'
import { avroFields, columnTypeOf, isRecordSchema } from '../topology/avro-record.js'
import type { TakenSample } from './advise-sample.js'
import { constantName, pascalCase } from './typescript-of-schema.js'

/** Which SQL, on which table, and what the events are. */
export interface SqlOptions {
  readonly sql: string
  readonly table?: string
  readonly topic?: string
  readonly dialect?: SqlDialect
  readonly schema?: string
  readonly schemas: string
  readonly timestamp?: string
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')

function topicOf({ schema }: SchemaFile): string | undefined {
  return isRecordSchema(schema) && typeof schema.topic === 'string' ? schema.topic : undefined
}

/** The file of the schema of the events: `--schema`, else the one of the topic, of the table, or of the sample's record. */
function schemaFile(options: SqlOptions, sampled: AvroSchema | undefined): SchemaFile | undefined {
  if (options.schema !== undefined) return readSchemaFile(options.schema)
  const files = readSchemaDirectory(options.schemas).filter(file => !file.old)
  const wanted = options.topic ?? options.table?.split('.').at(-1)
  const named = (schema: AvroSchema) => (isRecordSchema(schema) ? String(schema.name).split('.').at(-1) : undefined)
  return (
    files.find(file => wanted !== undefined && plain(topicOf(file) ?? '') === plain(wanted)) ??
    files.find(file => sampled !== undefined && named(file.schema) === named(sampled))
  )
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (thrown) {
    throw new MillraceError('INVALID_OPTION', `--sql ${file} cannot be read: ${messageOf(thrown)}.`, { cause: thrown })
  }
}

function timestampOf(schema: AvroSchema): string | undefined {
  const named = isRecordSchema(schema) ? schema.timestamp : undefined
  if (typeof named === 'string') return named
  return avroFields(schema).find(field => columnTypeOf(field.schema) === 'timestamp')?.name
}

/**
 * Proposes rollups for a file of logged SQL.
 * @throws MillraceError INVALID_OPTION when the file cannot be read or holds no statement; INVALID_SCHEMA when nothing says what the events are.
 */
export async function adviseSqlFile(options: SqlOptions, sampled: TakenSample | undefined): Promise<SqlAdvice> {
  const log = readQueryLog(textOf(options.sql), options.sql)
  const file = schemaFile(options, sampled?.schema)
  const schema = sampled?.schema ?? file?.schema
  if (schema === undefined) {
    throw new MillraceError(
      'INVALID_SCHEMA',
      `Nothing says what the events are that --sql asks for: no schema in ${options.schemas} has the topic or table as its "topic". Pass --topic, or --table, or the .avsc file by --schema.`,
    )
  }
  const topic = options.topic ?? (file && topicOf(file)) ?? options.table ?? 'events'
  const table = options.table ?? topic.replace(/[^A-Za-z0-9]+/g, '_')
  const events = new EventColumns(schema, options.timestamp ?? sampled?.timestamp ?? timestampOf(schema))
  const name = isRecordSchema(schema) ? String(schema.name).split('.').at(-1) : 'Event'
  return adviseSql({
    log,
    parse: await sqlParser(options.dialect === undefined ? undefined : [options.dialect]),
    table,
    events,
    rows: sampled ? sampledRows(sampled.sample) : assumedRows(events),
    source: {
      topic,
      schemaName: constantName(pascalCase(String(name))),
      schemaModule: `../schemas/${file?.name ?? plain(String(name))}.js`,
    },
  })
}
