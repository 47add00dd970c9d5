import { cpus, loadavg } from 'node:os'
import { Command, Option } from 'commander'
import { duration, wholeNumber } from '../src/cli/options.js'
import { kafkaAvailable, startKafka } from '../test/services/kafka.js'
import { adviseCommand } from './advise.js'
import { prestoCommand } from './presto/command.js'
import { processFiguresAvailable } from './process-tree.js'
import { type RestartOptions, restart } from './restart.js'
import { type RollupOptions, type RollupResult, rollup } from './rollup.js'

const report = (line: string): void => console.error(line)

/** Runs `work` on the broker of `--kafka`, else on one of its own that ends with it. */
async function withKafka<T>(brokers: string | undefined, work: (brokers: string) => Promise<T>): Promise<T> {
  if (brokers !== undefined) return work(brokers)
  const reason = kafkaAvailable()
  if (reason !== undefined) throw new Error(`${reason}: name a broker with --kafka host:port.`)
  const kafka = await startKafka()
  try {
    return await work(kafka.brokers)
  } finally {
    await kafka.stop()
  }
}

/** Checked here, and passed on as it was given. */
function durationText(text: string): string {
  duration(text)
  return text
}

function kafkaFlag(): Option {
  return new Option('--kafka <host:port>', 'a broker; default: one is started for the run')
}

function jsonFlag(): Option {
  return new Option('--json', 'the figures as one line of JSON, the last on stdout').default(false)
}

const program = new Command('bench').description('Benchmarks of Millrace. Run them by: npm run bench -- NAME')

program
  .command('rollup')
  .description('counts, sums and extremes by quest type and minute; CPU time of the worker by input record')
  .addOption(kafkaFlag())
  .addOption(new Option('--events <count>', 'input records').argParser(wholeNumber(1)).default(3_000_000))
  .addOption(
    new Option('--guarantee <name>', 'what a crash may change')
      .choices(['exactly_once', 'at_least_once'])
      .default('exactly_once'),
  )
  .addOption(new Option('--grace <duration>', 'of the windows').argParser(durationText).default('1 day'))
  .addOption(
    new Option('--commit-interval <duration>', 'longest time between commits').argParser(durationText).default('100ms'),
  )
  .addOption(new Option('--profile <folder>', 'where the worker leaves CPU profiles'))
  .addOption(jsonFlag())
  .action(async (options: Omit<RollupOptions, 'kafka'> & { readonly kafka?: string; readonly json: boolean }) => {
    const reason = processFiguresAvailable()
    if (reason !== undefined) throw new Error(`The benchmark cannot run here: ${reason}.`)
    const result = await withKafka(options.kafka, kafka => rollup({ ...options, kafka, report }))
    if (options.json) console.log(JSON.stringify(result))
    else printRollup(result)
    const { wrongCells, late, accounting } = result
    if (wrongCells > 0 || late > 0 || accounting.read !== options.events) process.exitCode = 1
  })

program
  .command('restart')
  .description('from the start of a process to all its tasks running, with a store and without one')
  .addOption(kafkaFlag())
  .addOption(new Option('--entries <count>', 'entries of the store').argParser(wholeNumber(1)).default(1_000_000))
  .addOption(new Option('--tail <count>', 'entries that the store lacks').argParser(wholeNumber(0)).default(10_000))
  .addOption(
    new Option('--partitions <count>', 'of the source, each with a store').argParser(wholeNumber(1)).default(4),
  )
  .addOption(jsonFlag())
  .action(async (options: Omit<RestartOptions, 'kafka'> & { readonly kafka?: string; readonly json: boolean }) => {
    const result = await withKafka(options.kafka, kafka => restart({ ...options, kafka, report }))
    if (options.json) console.log(JSON.stringify(result))
    else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(26)}${value}`)
    const { restartSeconds, rebuildEntriesPerSecond, wrongEntries } = result
    if (wrongEntries > 0 || restartSeconds > 5 || rebuildEntriesPerSecond < 100_000) process.exitCode = 1
  })

prestoCommand(program, { kafkaFlag, jsonFlag, withKafka, report })
adviseCommand(program, jsonFlag)

function printRollup(result: RollupResult): void {
  const { repartition, changelog, output, accounting } = result
  const traffic = { repartition, changelog, output }
  console.log(`Machine             ${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`)
  console.log(`Load at the end     ${loadavg()[0]?.toFixed(1)}`)
  console.log(`CPU a record        ${result.cpuMicrosPerRecord} µs (${result.cpuSeconds} s, whole process tree)`)
  console.log(`Records a second    ${result.recordsPerSecond} (${result.seconds} s from start to last row)`)
  console.log(`Peak memory         ${result.peakRssMb} MB`)
  for (const [name, { records, bytes }] of Object.entries(traffic)) {
    console.log(`${name.padEnd(20)}${records} records, ${(bytes / 1e6).toFixed(1)} MB`)
  }
  console.log(`Cells               ${result.cells}, wrong: ${result.wrongCells}`)
  console.log(`Records             ${accounting.read} read, ${result.late} late`)
}

// Servers that were started end with this process, where it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  await program.parseAsync()
} catch (thrown) {
  report(thrown instanceof Error ? thrown.message : String(thrown))
  process.exitCode = 1
}
