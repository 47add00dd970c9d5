import { Command, Option } from 'commander'
import { wholeNumber } from '../src/cli/options.js'
import { postgresAvailable } from '../test/services/postgres.js'
import { sinkChaos, TARGET_NAMES, type TargetName } from './sink.js'

interface Flags {
  readonly sink: boolean
  readonly kills: number
  readonly keys: number
  readonly seed: number
  readonly targets: readonly TargetName[]
  readonly json: boolean
}

const report = (line: string): void => console.error(line)

const program = new Command('chaos')
  .description(
    'Kills parts of Millrace at random moments and compares what stands in the end. Run it by: npm run chaos -- --sink',
  )
  .requiredOption('--sink', 'the warehouse sink, over PostgreSQL and over the Redshift of the tests')
  .addOption(new Option('--kills <count>', 'SIGKILLs of writers').argParser(wholeNumber(2)).default(52))
  .addOption(new Option('--keys <count>', 'rows of each of the two tables').argParser(wholeNumber(100)).default(2_000))
  .addOption(new Option('--seed <number>', 'of the rows and of what goes wrong').argParser(wholeNumber(0)).default(1))
  .addOption(new Option('--targets <names...>', 'warehouses').choices(TARGET_NAMES).default(TARGET_NAMES))
  .addOption(new Option('--json', 'the figures as one line of JSON, the last on stdout').default(false))
  .action(async ({ json, ...options }: Flags) => {
    const reason = postgresAvailable()
    if (reason !== undefined) throw new Error(`Chaos cannot run here: ${reason}.`)
    const result = await sinkChaos({ ...options, report })
    if (json) console.log(JSON.stringify(result))
    else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(22)}${JSON.stringify(value)}`)
    if (result.wrongCells > 0 || result.unfencedWrongCells === 0 || result.kills < options.kills) process.exitCode = 1
  })

try {
  await program.parseAsync()
} catch (thrown) {
  report(thrown instanceof Error ? thrown.message : String(thrown))
  process.exitCode = 1
}
