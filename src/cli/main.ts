#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import type { Logger } from 'pino'
import { messageOf } from '../model/errors.js'
import { addAdvise } from './advise-command.js'
import type { Io } from './io.js'
import { LiveLine } from './live-line.js'
import { loggerOf, withKafkaFlags, withLog, withLogFlags } from './log-flags.js'
import { createLogger, type LogLevel } from './logger.js'
import {
  duration,
  flag,
  instanceIdFlag,
  instant,
  logLevelFlag,
  namespaceFlag,
  positiveNumber,
  schemasFlag,
  sourcePartitionsFlag,
  storeEngineFlag,
  wholeNumber,
} from './options.js'
import { drainTimeoutFlag, httpFlag, memoryFlag, processesFlag } from './run-flags.js'
import type { RunOptions } from './run-options.js'
import { refuseSecretFlags } from './secrets.js'
import type { StartOptions } from './start.js'
import { stopSignal } from './stop-signal.js'
import { systemClock } from './system-clock.js'
import { warehouseSessionsFlag, withWarehouseFlags } from './warehouse-flags.js'

/** Exit codes: something went wrong; the command line is wrong. */
const FAILED = 1
const USAGE = 2

const io: Io = {
  out: line => process.stdout.write(`${line}\n`),
  err: line => process.stderr.write(`${line}\n`),
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

/** What went wrong, after its code where it has one: topology files may bring their own copy of the error's class. */
function sentenceOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? `${thrown.code}: ` : ''
  return `${code}${messageOf(thrown)}`
}

/** Says what ended the command: as a log line where it keeps a log. */
function fail(thrown: unknown, logger?: Logger): void {
  if (logger?.isLevelEnabled('fatal')) logger.fatal(sentenceOf(thrown))
  else io.err(sentenceOf(thrown))
  process.exitCode = FAILED
}

function addRun(program: Command): void {
  withWarehouseFlags(withLogFlags(program.command('run').argument('<file...>', 'files that export a topology')))
    .description('run topologies until SIGTERM or SIGINT')
    .addOption(
      flag('--guarantee <name>', 'what a crash may change')
        .choices(['exactly_once', 'at_least_once'])
        .default('exactly_once'),
    )
    .addOption(
      flag('--commit-interval <duration>', 'longest time between commits').argParser(duration).default(200, '200ms'),
    )
    .addOption(instanceIdFlag())
    .addOption(namespaceFlag())
    .addOption(
      flag('--status-interval <duration>', 'how often figures are logged')
        .argParser(duration)
        .default(30_000, '30 seconds'),
    )
    .addOption(processesFlag())
    .addOption(drainTimeoutFlag())
    .addOption(memoryFlag())
    .addOption(httpFlag())
    .action(async (files: string[], options: RunOptions) => {
      const { runCommand, workOf } = await import('./run.js')
      const work = await workOf(files, options)
      const logger = loggerOf(options)
      const stop = stopSignal(signal => logger.info(`${signal}: committing and closing. A second signal ends at once.`))
      try {
        await runCommand(work(logger), options.http, { logger, stop })
        logger.info('Closed.')
      } catch (thrown) {
        fail(thrown, logger)
      } finally {
        stop.dispose()
      }
    })
}

function addStart(program: Command): void {
  program
    .command('start')
    .description('make quest events, aggregate them on the embedded log, and prove the rows')
    .addOption(flag('--events <count>', 'that the log is to hold in all (default: 200000)').argParser(wholeNumber(1)))
    .addOption(flag('--for <duration>', 'produce so long').argParser(duration))
    .addOption(flag('--rate <number>', 'events a second; default: as fast as it goes').argParser(positiveNumber))
    .addOption(flag('--seed <number>', 'the same seed gives the same events (default: 42)').argParser(wholeNumber(0)))
    .addOption(flag('--state <folder>', 'keeps all, so that a next start goes on (default: a temporary folder)'))
    .addOption(storeEngineFlag())
    .addOption(flag('--json', 'one line of JSON on stdout, all else on stderr').default(false))
    .addOption(logLevelFlag())
    .action(async (options: StartOptions & { readonly logLevel: LogLevel }) => {
      const terminal = process.stderr.isTTY === true
      const live = terminal ? new LiveLine(process.stderr) : undefined
      const logger = createLogger({
        level: options.logLevel,
        readable: terminal,
        ...(live && { destination: { write: text => live.write(text) } }),
      })
      const stop = stopSignal(() => logger.info('No more events: processing the rest. A second signal ends at once.'))
      try {
        const { startCommand } = await import('./start.js')
        process.exitCode = await startCommand(options, { io, logger, live, stop })
      } catch (thrown) {
        fail(thrown, logger)
      } finally {
        stop.dispose()
      }
    })
}

function addDescribe(program: Command): void {
  program
    .command('describe')
    .argument('<file...>', 'files that export a topology')
    .description('print the graph of topologies; needs no broker')
    .addOption(flag('--format <name>', 'how').choices(['text', 'mermaid', 'json']).default('text'))
    .addOption(namespaceFlag())
    .action(async (files, options) => {
      const { describeCommand } = await import('./describe.js')
      process.exitCode = await describeCommand(files, options, io)
    })
}

function addTopics(program: Command): void {
  const command = program.command('topics').argument('<file...>', 'files that export a topology')
  withKafkaFlags(command, 'only --dry-run')
    .description('create the topics of topologies where they are missing, or print them')
    .addOption(namespaceFlag())
    .addOption(sourcePartitionsFlag())
    .addOption(warehouseSessionsFlag())
    .addOption(flag('--dry-run', 'create nothing').default(false))
    .addOption(flag('--format <name>', 'how').choices(['table', 'json', 'commands']).default('table'))
    .addOption(logLevelFlag())
    .action(async (files, options) => {
      const { topicsCommand } = await import('./topics.js')
      process.exitCode = await topicsCommand(files, options, { io, logger: loggerOf(options) })
    })
}

function addCheck(program: Command): void {
  program
    .command('check')
    .argument('<file...>', 'files that export a topology')
    .description('type-check, build and validate topologies; names all problems at once')
    .action(async files => {
      const { checkCommand } = await import('./check.js')
      process.exitCode = await checkCommand(files, io)
    })
}

function addCodegen(program: Command): void {
  program
    .command('codegen')
    .description('write the TypeScript of each schema beside it')
    .addOption(schemasFlag())
    .addOption(flag('--check', 'write nothing; fail when a file differs').default(false))
    .action(async options => {
      const { codegenCommand } = await import('./codegen.js')
      process.exitCode = await codegenCommand(options, io)
    })
}

function addLoad(program: Command): void {
  withLogFlags(program.command('load').argument('<topic>').argument('<file>', 'Avro container file or JSON lines'))
    .description('put a file into a topic')
    .addOption(flag('--schema <file>', 'the .avsc file of the values; default: the one whose "topic" is the topic'))
    .addOption(flag('--key <field>', 'field for the record key; default: the "key" of the schema'))
    .addOption(flag('--partitions <count>', 'of a topic that does not exist yet').argParser(wholeNumber(1)).default(8))
    .addOption(flag('--on-error <what>', 'what a wrong value does').choices(['fail', 'skip']).default('fail'))
    .action(async (topic, file, options) => {
      const { loadCommand } = await import('./load.js')
      process.exitCode = await withLog(options, ports => loadCommand({ ...options, topic, file }, ports, io))
    })
}

const SIX_HOURS = 6 * 3_600_000

function addProduce(program: Command): void {
  withLogFlags(program.command('produce').argument('[topic]', 'where to', 'quest-events'))
    .description('fill a topic with seeded quest events')
    .addOption(
      flag('--events <count>', 'how many the topic is to hold').argParser(wholeNumber(1)).default(200_000, '200000'),
    )
    .addOption(flag('--seed <number>', 'the same seed gives the same events').argParser(wholeNumber(0)).default(42))
    .addOption(flag('--start <time>', 'event time of the first event; default: --span before now').argParser(instant))
    .addOption(
      flag('--span <duration>', 'event time that the events spread over')
        .argParser(duration)
        .default(SIX_HOURS, '6 hours'),
    )
    .addOption(flag('--rate <number>', 'events a second; default: as fast as it goes').argParser(positiveNumber))
    .addOption(flag('--partitions <count>', 'of a topic that does not exist yet').argParser(wholeNumber(1)).default(8))
    .action(async (topic, { events, span, start, ...options }) => {
      const { produceCommand } = await import('./produce.js')
      const stop = stopSignal(() => undefined)
      const plan = { ...options, topic, total: events, spanMs: span, start: start ?? Date.now() - span }
      try {
        process.exitCode = await withLog(options, ports =>
          Promise.race([
            produceCommand({ ...plan, signal: stop.signal }, { ...ports, clock: systemClock }, io),
            stop.failure,
          ]),
        )
      } finally {
        stop.dispose()
      }
    })
}

const program = new Command('millrace')
  .description('Stream processing for TypeScript teams: exact windowed aggregates from Kafka to the warehouse.')
  .version(version())
  .showHelpAfterError('Run it with --help to see what it takes.')
  .exitOverride()
  .hook('preAction', (_, command) => refuseSecretFlags(command))

addStart(program)
addRun(program)
addDescribe(program)
addTopics(program)
addCheck(program)
addCodegen(program)
addLoad(program)
addProduce(program)
addAdvise(program, io)

async function main(): Promise<never> {
  try {
    await program.parseAsync()
  } catch (thrown) {
    if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : USAGE
    else fail(thrown)
  }
  // Native clients and timers of what could not be closed must not keep the process.
  process.exit()
}

// Not awaited: a topology in a package without "type": "module" requires the modules that this one is still loading.
void main()
