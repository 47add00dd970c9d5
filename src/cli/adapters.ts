import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openEmbeddedLog } from '../log/embedded/embedded-log.js'
import { kafkaLog } from '../log/kafka/kafka-log.js'
import { mskIamTokens } from '../log/kafka/msk-iam.js'
import type { TokenSource } from '../log/kafka/oauth-tokens.js'
import { MillraceError, messageOf } from '../model/errors.js'
import type { Log } from '../ports/log.js'
import type { SchemaRegistry } from '../ports/schema-registry.js'
import type { StoreEngine } from '../ports/store.js'
import type { Warehouse } from '../ports/warehouse.js'
import type { MemoryPlan } from '../runtime/memory-plan.js'
import { confluentRegistry } from '../serde/confluent-registry.js'
import { fileRegistry } from '../serde/file-registry.js'
import { memoryEngine } from '../state/memory/memory-engine.js'
import { rocksdbClassicEngine } from '../state/rocksdb/classic-engine.js'
import { rocksdbNativeEngine } from '../state/rocksdb/native-engine.js'
import { pgliteWarehouse } from '../warehouse/pglite/pglite-warehouse.js'
import { postgresWarehouse } from '../warehouse/postgres/postgres-warehouse.js'
import { type KafkaFlags, type LogFlags, type StoreEngineName, settings } from './options.js'
import { openRedshift } from './redshift.js'
import { registryAddress } from './registry-address.js'
import { secret, secretKafkaSettings } from './secrets.js'
import { systemClock } from './system-clock.js'
import { hintingAtServer } from './unknown-schema.js'
import type { RedshiftFlags } from './warehouse-flags.js'

/** How long one try to connect to a warehouse lasts, and a process that ends may wait for it, in ms. */
const CONNECT_TIMEOUT = 5_000

/** The engine of `--store-engine`. */
export function storeEngine(name: StoreEngineName): StoreEngine {
  switch (name) {
    case 'rocksdb-native':
      return rocksdbNativeEngine()
    case 'rocksdb':
      return rocksdbClassicEngine()
    case 'memory':
      return memoryEngine()
    default:
      return name satisfies never
  }
}

function configFile(file: string): Record<string, string> {
  try {
    return settings(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw new MillraceError('INVALID_OPTION', `--kafka-config-file ${file} cannot be used: ${messageOf(thrown)}`, {
      cause: thrown,
    })
  }
}

/** Settings of the file, the variable MILLRACE_KAFKA_CONFIG, the variables of single secrets and the flags: later ones win. */
export function kafkaSettings(flags: Pick<LogFlags, 'kafkaConfig' | 'kafkaConfigFile'>): Record<string, string> {
  return {
    ...(flags.kafkaConfigFile !== undefined && configFile(flags.kafkaConfigFile)),
    ...settings(process.env.MILLRACE_KAFKA_CONFIG ?? ''),
    ...secretKafkaSettings(),
    ...flags.kafkaConfig,
  }
}

/**
 * Where the tokens of `--kafka-auth` come from; undefined without it.
 * @throws MillraceError INVALID_OPTION without a region, or where the package that signs them is not installed.
 */
export async function kafkaTokens(
  { kafkaAuth, awsRegion }: Pick<LogFlags, 'kafkaAuth' | 'awsRegion'>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<TokenSource | undefined> {
  if (kafkaAuth === undefined) return undefined
  const region = awsRegion ?? (environment.AWS_REGION || environment.AWS_DEFAULT_REGION || undefined)
  if (region !== undefined) return mskIamTokens({ region })
  throw new MillraceError(
    'INVALID_OPTION',
    `--kafka-auth ${kafkaAuth} signs tokens for a region, and none is given. Pass --aws-region, or set AWS_REGION.`,
  )
}

/** What a log is opened with besides its flags. */
interface LogBounds {
  /** Ms. */
  readonly commitInterval?: number
  /** Of each topology. */
  readonly memory?: Pick<MemoryPlan, 'prefetchBytes' | 'produceBytes'>
}

/** Settings that keep librdkafka's queues within their shares of `--memory`. */
function queueSettings({ memory }: LogBounds): Record<string, string> {
  if (memory === undefined) return {}
  const kib = (bytes: number): string => String(Math.max(1, Math.floor(bytes / 1_024)))
  return {
    'queued.max.messages.kbytes': kib(memory.prefetchBytes),
    'queue.buffering.max.kbytes': kib(memory.produceBytes),
  }
}

/** The log of `--kafka`. */
export async function openKafka(
  flags: KafkaFlags & LogBounds & { readonly kafka: string },
  logger: Logger,
): Promise<Log> {
  const tokens = await kafkaTokens(flags)
  const config = { ...queueSettings(flags), ...kafkaSettings(flags) }
  const { kafka: brokers, commitInterval: commitIntervalMs = 0 } = flags
  return kafkaLog({ brokers, config, commitIntervalMs, clock: systemClock, logger, ...(tokens && { tokens }) })
}

/**
 * The log of `--kafka`, else the embedded one in `--state`. An embedded log is on disk whatever keeps the state.
 * @throws MillraceError LOG_IN_USE when another program has the embedded log open.
 */
export async function openLog(flags: LogFlags & LogBounds, logger: Logger): Promise<Log> {
  const { kafka } = flags
  if (kafka !== undefined) return openKafka({ ...flags, kafka }, logger)
  const engine = storeEngine(flags.storeEngine === 'memory' ? 'rocksdb-native' : flags.storeEngine)
  return openEmbeddedLog({ engine, directory: join(flags.state, 'log'), clock: systemClock })
}

/**
 * The registry of `--registry`; else schemas of `--schemas`, and those that commands register, which are kept in `--state`;
 * `logger` is told once that an id is in none of them.
 * @throws MillraceError INVALID_OPTION as `registryAddress` does.
 */
export function schemaRegistry(
  { registry, schemas, state }: Pick<LogFlags, 'registry' | 'schemas' | 'state'>,
  logger?: Logger,
): SchemaRegistry {
  if (registry !== undefined) return confluentRegistry(registryAddress(registry))
  const files = fileRegistry({ schemas, file: join(state, 'schemas.json') })
  return logger === undefined ? files : hintingAtServer(files, schemas, logger)
}

/**
 * The warehouse that an address names: `redshift://…`, `postgres://…`, or `pglite:FOLDER` for the one in this process. The
 * password is that of the address or the secret MILLRACE_WAREHOUSE_PASSWORD; `flags` are for Redshift.
 * @throws MillraceError INVALID_OPTION for any other address; it is not repeated, since it may hold a password.
 */
export function openWarehouse(address: string, flags: RedshiftFlags = {}): Warehouse {
  if (/^redshift:/.test(address)) return openRedshift(address, flags)
  if (/^postgres(ql)?:/.test(address)) {
    const password = secret('MILLRACE_WAREHOUSE_PASSWORD')
    const options = { url: address, connectTimeoutMs: CONNECT_TIMEOUT }
    return postgresWarehouse(password === undefined ? options : { ...options, password })
  }
  const directory = /^pglite:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1]
  if (directory !== undefined) return pgliteWarehouse({ directory })
  throw new MillraceError(
    'INVALID_OPTION',
    'The address given by --warehouse is none of redshift://user@host:5439/database, postgres://user@host:port/database and pglite:FOLDER.',
  )
}
