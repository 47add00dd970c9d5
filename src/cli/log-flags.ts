import type { Command } from 'commander'
import type { Logger } from 'pino'
import type { Log } from '../ports/log.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import { createLogger, type LogLevel } from './logger.js'
import {
  awsRegionFlag,
  kafkaAuthFlag,
  kafkaConfigFileFlag,
  kafkaConfigFlag,
  kafkaFlag,
  type LogFlags,
  logLevelFlag,
  registryFlag,
  schemasFlag,
  stateFlag,
  storeEngineFlag,
} from './options.js'

/** Adds the flags that say where Kafka is. */
export function withKafkaFlags(command: Command, withoutKafka?: string): Command {
  return command
    .addOption(kafkaFlag(withoutKafka))
    .addOption(kafkaConfigFlag())
    .addOption(kafkaConfigFileFlag())
    .addOption(kafkaAuthFlag())
    .addOption(awsRegionFlag())
}

/** Adds the flags of commands that read or write records: those of {@link LogFlags}, and `--log-level`. */
export function withLogFlags(command: Command): Command {
  return withKafkaFlags(command)
    .addOption(registryFlag())
    .addOption(stateFlag())
    .addOption(schemasFlag())
    .addOption(storeEngineFlag())
    .addOption(logLevelFlag())
}

/** The logger of a command, on stderr. */
export function loggerOf({ logLevel }: { readonly logLevel: LogLevel }): Logger {
  return createLogger({ level: logLevel, readable: process.stderr.isTTY === true })
}

/** Opens the log for one command and closes it again. */
export async function withLog<T>(
  flags: LogFlags & { readonly logLevel: LogLevel },
  work: (ports: { readonly log: Log; readonly registry: SchemaRegistry }) => Promise<T>,
): Promise<T> {
  const { openLog, schemaRegistry } = await import('./adapters.js')
  const log = await openLog(flags, loggerOf(flags))
  try {
    return await work({ log, registry: schemaRegistry(flags) })
  } finally {
    await log.close()
  }
}
