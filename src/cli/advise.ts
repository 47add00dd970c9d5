import { writeFileSync } from 'node:fs'
import { adviseKeys, type KeyAdvice } from '../advise/key-advice.js'
import { reportHtml } from '../advise/report.js'
import type { SqlAdvice } from '../advise/sql-advice.js'
import type { SqlDialect } from '../advise/sql-parser.js'
import { MillraceError, messageOf } from '../model/errors.js'
import { type SampleOptions, sampleFile, sampleTopic, type TakenSample } from './advise-sample.js'
import { adviseSqlFile } from './advise-sql.js'
import { keyTable, sqlTables } from './advise-tables.js'
import type { Io } from './io.js'
import { withLog } from './log-flags.js'
import type { LogLevel } from './logger.js'
import type { LogFlags } from './options.js'

/** The flags of `millrace advise`. */
export interface AdviseFlags extends LogFlags, SampleOptions {
  readonly logLevel: LogLevel
  readonly partitions: readonly number[]
  /** Ms. */
  readonly window: number
  readonly commitRecords: number
  readonly sql?: string
  readonly table?: string
  readonly dialect?: SqlDialect
  readonly html?: string
  readonly json: boolean
}

/** The whole answer, as `--json` prints it. */
export interface Advice {
  /** What was sampled; undefined where only SQL was read. */
  readonly source: string | undefined
  readonly keys: KeyAdvice | undefined
  readonly sql: SqlAdvice | undefined
  /** From the start of the command to its answer. */
  readonly seconds: number
  /** CPU time of the process, user and system. */
  readonly cpuSeconds: number
}

async function taken(flags: AdviseFlags): Promise<TakenSample | undefined> {
  const { file, topic } = flags
  if (file !== undefined) return sampleFile({ ...flags, file })
  if (topic !== undefined) return withLog(flags, ports => sampleTopic({ ...flags, topic }, ports))
  if (flags.sql !== undefined) return undefined
  throw new MillraceError(
    'INVALID_OPTION',
    'There is nothing to advise on. Name a --topic or a --file of events, or a file of logged --sql.',
  )
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return Number(((user + system) / 1e6).toFixed(2))
}

function writeReport(file: string, html: string): void {
  try {
    writeFileSync(file, html)
  } catch (thrown) {
    throw new MillraceError('INVALID_OPTION', `--html ${file} cannot be written: ${messageOf(thrown)}.`, {
      cause: thrown,
    })
  }
}

/**
 * `millrace advise`: ranks the keys that a sample could be partitioned by.
 * @returns the exit code: 0, or 1 when there is nothing to judge by.
 */
export async function adviseCommand(flags: AdviseFlags, io: Io): Promise<number> {
  try {
    const sampled = await taken(flags)
    const { partitions, window: windowMs, commitRecords, keys: named } = flags
    const keys =
      sampled && adviseKeys(sampled.sample, { windowMs, partitions, commitRecords, ...(named && { keys: named }) })
    const sql = flags.sql === undefined ? undefined : await adviseSqlFile({ ...flags, sql: flags.sql }, sampled)
    const advice: Advice = {
      source: sampled?.source,
      keys,
      sql,
      seconds: Number(process.uptime().toFixed(2)),
      cpuSeconds: cpuSeconds(),
    }
    const say = flags.json ? io.err : io.out
    if (keys) {
      say(keyTable(keys, advice.source ?? ''))
      say(keys.verdict)
      for (const warning of keys.warnings) say(`Note: ${warning}`)
    }
    if (sql) for (const line of sqlTables(sql)) say(line)
    if (flags.html !== undefined) {
      writeReport(flags.html, reportHtml(advice))
      say(`The report is in ${flags.html}.`)
    }
    if (flags.json) io.out(JSON.stringify(advice))
    return 0
  } catch (thrown) {
    io.err(messageOf(thrown))
    return 1
  }
}
