import { type Command, Option } from 'commander'
import { duration, wholeNumber } from '../../src/cli/options.js'
import { postgresAvailable } from '../../test/services/postgres.js'
import { trinoAvailable } from '../../test/services/trino.js'
import { processFiguresAvailable } from '../process-tree.js'
import { type PrestoOptions, presto } from './presto.js'
import { writeResults } from './results-page.js'

type Flags = Omit<PrestoOptions, 'kafka' | 'report'> & {
  readonly kafka?: string
  readonly json: boolean
  readonly writeResults: boolean
}

/** What the subcommand shares with its siblings. */
interface Shared {
  readonly kafkaFlag: () => Option
  readonly jsonFlag: () => Option
  readonly withKafka: <T>(brokers: string | undefined, work: (brokers: string) => Promise<T>) => Promise<T>
  readonly report: (line: string) => void
}

/** From so many events on, a run is one of the full size, whose figures docs/results.md may show. */
const FULL_SIZE = 10_000_000

/** `bench presto`: the twelve questions on raw events and on rollups. */
export function prestoCommand(program: Command, { kafkaFlag, jsonFlag, withKafka, report }: Shared): void {
  program
    .command('presto')
    .description('twelve questions to Trino, on raw events and on rollups: CPU, blocks, wall clock, freshness')
    .addOption(kafkaFlag())
    .addOption(new Option('--events <count>', 'events over seven days').argParser(wholeNumber(1)).default(20_000_000))
    .addOption(
      new Option('--runs <count>', 'of each question, after one that warms up').argParser(wholeNumber(1)).default(5),
    )
    .addOption(
      new Option('--live-seconds <count>', 'how long freshness is watched under load')
        .argParser(wholeNumber(1))
        .default(150),
    )
    .addOption(new Option('--live-rate <count>', 'events a second then').argParser(wholeNumber(1)).default(2_000))
    .addOption(
      new Option('--freshness <duration>', 'that the tables are declared with then')
        .argParser(text => {
          duration(text)
          return text
        })
        .default('60 seconds'),
    )
    .addOption(
      new Option(
        '--write-results',
        `write docs/results.md and its plots; always from ${FULL_SIZE} events on where no answer is wrong`,
      ).default(false),
    )
    .addOption(jsonFlag())
    .action(async (flags: Flags) => {
      const reason = processFiguresAvailable() ?? postgresAvailable() ?? trinoAvailable()
      if (reason !== undefined) throw new Error(`The benchmark cannot run here: ${reason}.`)
      const result = await withKafka(flags.kafka, kafka => presto({ ...flags, kafka, report }))
      const { figures } = result
      const full = flags.events >= FULL_SIZE && figures.wrongAnswers === 0
      if (flags.writeResults || full) await writeResults(result)
      if (flags.json) console.log(JSON.stringify(figures))
      else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(24)}${value}`)
      if (figures.wrongAnswers > 0) process.exitCode = 1
    })
}
