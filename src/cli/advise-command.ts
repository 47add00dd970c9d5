import { type Command, InvalidArgumentError } from 'commander'
import { DIALECTS } from '../advise/sql-parser.js'
import type { AdviseFlags } from './advise.js'
import type { Io } from './io.js'
import { withLogFlags } from './log-flags.js'
import { duration, flag, wholeNumber } from './options.js'

const MINUTE = 60_000
/** 200 ms, the commit interval of `run`, at 50,000 records a second and task. */
const COMMIT_RECORDS = 10_000

function partitionCounts(text: string): readonly number[] {
  const counts = text.split(',').map(part => Number(part.trim()))
  if (counts.every(count => Number.isSafeInteger(count) && count >= 1 && count <= 100_000)) {
    return [...new Set(counts)].sort((a, b) => a - b)
  }
  throw new InvalidArgumentError('It must be whole numbers of at least 1, such as 8,16,64.')
}

function names(text: string): readonly string[] {
  const found = text.split(',').map(part => part.trim())
  if (found.every(name => name !== '')) return found
  throw new InvalidArgumentError('It must be names separated by commas, such as questType,userId.')
}

/** Adds `millrace advise` to the program. */
export function addAdvise(program: Command, io: Io): void {
  withLogFlags(program.command('advise'))
    .description('rank partition keys by a sample of events; propose roll-ups for logged SQL')
    .addOption(flag('--topic <name>', 'topic to sample; its newest records'))
    .addOption(flag('--file <file>', 'Avro container file or JSON lines to sample instead'))
    .addOption(flag('--schema <file>', 'the .avsc file of the events; default: the one whose "topic" is the topic'))
    .addOption(flag('--sample <count>', 'events at most').argParser(wholeNumber(1)).default(1_000_000, '1000000'))
    .addOption(
      flag('--partitions <counts>', 'numbers of partitions to look at')
        .argParser(partitionCounts)
        .default([8, 16, 64], '8,16,64'),
    )
    .addOption(
      flag('--window <duration>', 'length of the windows of roll-ups').argParser(duration).default(MINUTE, '1 minute'),
    )
    .addOption(flag('--keys <fields>', 'fields that may be keys; default: all single values').argParser(names))
    .addOption(flag('--timestamp <field>', 'field of the event time; default: that of the schema'))
    .addOption(
      flag('--commit-records <count>', 'records that an upstream task reads between two commits')
        .argParser(wholeNumber(1))
        .default(COMMIT_RECORDS, '10000'),
    )
    .addOption(flag('--sql <file>', 'logged SQL: statements, or a CSV of pg_stat_statements or stl_query'))
    .addOption(flag('--table <name>', 'the raw table in that SQL; default: the topic in snake_case'))
    .addOption(flag('--dialect <name>', 'of that SQL; default: the first that parses a statement').choices(DIALECTS))
    .addOption(flag('--html <file>', 'where to write the report'))
    .addOption(flag('--json', 'the whole answer as one line of JSON on stdout, all else on stderr').default(false))
    .action(async (options: AdviseFlags) => {
      const { adviseCommand } = await import('./advise.js')
      process.exitCode = await adviseCommand(options, io)
    })
}
