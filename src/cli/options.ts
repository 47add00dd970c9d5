import { hostname } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../model/duration.js'
import { messageOf } from '../model/errors.js'
import { topicNameProblem } from '../topology/names.js'
import { LOG_LEVELS } from './logger.js'

/** A flag that is an environment variable too: `--commit-interval` = `MILLRACE_COMMIT_INTERVAL`. */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description)
  return option.env(`MILLRACE_${option.name().replaceAll('-', '_').toUpperCase()}`)
}

/** Lets a command's parser refuse what `parse` throws at. */
function refusing<T>(parse: (text: string, before?: T) => T): (text: string, before?: T) => T {
  return (text, before) => {
    try {
      return parse(text, before)
    } catch (thrown) {
      throw new InvalidArgumentError(messageOf(thrown))
    }
  }
}

/** Milliseconds. `200ms`, `30 seconds`, and `20s`, `5m`, `6h`, `7d` for short. */
export const duration = refusing(text => {
  const units: Record<string, string> = { s: 'seconds', m: 'minutes', h: 'hours', d: 'days' }
  return parseDuration(text.replace(/^(\d+(?:\.\d+)?)([smhd])$/, (_, n: string, unit: string) => `${n} ${units[unit]}`))
})

export const wholeNumber = (least: number) =>
  refusing(text => {
    const number = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(number) || number < least) {
      throw new Error(`It must be a whole number of at least ${least}.`)
    }
    return number
  })

export const positiveNumber = refusing(text => {
  const number = Number(text)
  if (!(number > 0 && number < Number.POSITIVE_INFINITY)) throw new Error('It must be a number above 0.')
  return number
})

/** A time as ISO 8601 text or ms since 1970. */
export const instant = refusing(text => {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isSafeInteger(time)) throw new Error('It must be a time such as 2026-11-01T00:00:00Z, or ms since 1970.')
  return time
})

/** Kafka settings as `KEY=VALUE`, a line each; later ones win. Messages name no values, which may be secret. */
export function settings(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const found: Record<string, string> = { ...before }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const equals = line.indexOf('=')
    if (equals < 1) throw new InvalidArgumentError(`Setting ${index + 1} is not of the form KEY=VALUE.`)
    found[line.slice(0, equals).trim()] = line.slice(equals + 1).trim()
  }
  return found
}

const namespace = refusing(text => {
  const problem = topicNameProblem(text)
  if (problem) throw new Error(`It begins the names of topics: ${problem}.`)
  return text
})

/** Where Kafka is, and how to get in. */
export interface KafkaFlags {
  readonly kafka?: string
  readonly kafkaConfig?: Readonly<Record<string, string>>
  readonly kafkaConfigFile?: string
  readonly kafkaAuth?: KafkaAuth
  /** Default: that of AWS's own variables. */
  readonly awsRegion?: string
}

/** Where the log and its schemas are: flags of every command that reads or writes records. */
export interface LogFlags extends KafkaFlags {
  readonly registry?: string
  readonly state: string
  readonly schemas: string
  readonly storeEngine: StoreEngineName
}

/** Ways to authenticate that librdkafka has no settings for. */
export const KAFKA_AUTHS = ['aws-msk-iam'] as const
export type KafkaAuth = (typeof KAFKA_AUTHS)[number]

export const STORE_ENGINES = ['rocksdb-native', 'rocksdb', 'memory'] as const
export type StoreEngineName = (typeof STORE_ENGINES)[number]

export function kafkaFlag(without = 'the embedded log in --state'): Option {
  return flag('--kafka <host:port>', `brokers, separated by commas; without it: ${without}`)
}

export function kafkaConfigFlag(): Option {
  return flag('--kafka-config <key=value>', 'a librdkafka setting; may be repeated; the variable holds a line each')
    .argParser(settings)
    .default({}, 'none')
}

export function kafkaConfigFileFlag(): Option {
  return flag('--kafka-config-file <file>', 'a file of librdkafka settings, KEY=VALUE a line')
}

export function kafkaAuthFlag(): Option {
  return flag('--kafka-auth <name>', 'authentication beyond librdkafka settings').choices(KAFKA_AUTHS)
}

export function awsRegionFlag(): Option {
  return flag('--aws-region <name>', 'region of MSK, Redshift and S3; default: AWS_REGION')
}

export function registryFlag(): Option {
  return flag('--registry <url>', 'schema registry, or several separated by commas; without it: files in --schemas')
}

export function stateFlag(): Option {
  return flag('--state <folder>', 'folder of the stores, and of the embedded log').default('.millrace')
}

export function schemasFlag(): Option {
  return flag('--schemas <folder>', 'folder of .avsc files').default('schemas')
}

export function storeEngineFlag(): Option {
  return flag('--store-engine <name>', 'what keeps state').choices(STORE_ENGINES).default('rocksdb-native')
}

export function logLevelFlag(): Option {
  return flag('--log-level <level>', 'least level of log lines on stderr').choices(LOG_LEVELS).default('info')
}

export function namespaceFlag(): Option {
  return flag(
    '--namespace <name>',
    'prefix of group, transactional ids and internal topics; schema of the tables',
  ).argParser(namespace)
}

export function instanceIdFlag(): Option {
  return flag('--instance-id <name>', 'names this worker; keep it over restarts').default(hostname(), 'the host name')
}

/** `TOPIC=COUNT`, repeated or separated by commas. */
export function sourcePartitionsFlag(): Option {
  const count = wholeNumber(1)
  const parse = refusing((text: string, before: Readonly<Record<string, number>> = {}) => {
    const found: Record<string, number> = { ...before }
    for (const part of text.split(',')) {
      const [, topic, digits = ''] = /^([^=]+)=(.*)$/.exec(part.trim()) ?? []
      if (topic === undefined) throw new Error('It must be TOPIC=COUNT such as quest-events=8.')
      found[topic] = count(digits)
    }
    return found
  })
  return flag('--partitions <topic=count>', 'of a source topic that is not there yet or not asked for; may be repeated')
    .argParser(parse)
    .default({}, 'none')
}
