import { MillraceError } from '../../model/errors.js'

/** librdkafka settings by name, as its CONFIGURATION.md has them. */
export type KafkaSettings = Readonly<Record<string, string | number | boolean>>

/** Settings of everything that reads. librdkafka's `fetch.queue.backoff.ms` of 1 s would leave the process idle. */
export const FETCH_DEFAULTS = {
  'fetch.queue.backoff.ms': 5,
  'fetch.wait.max.ms': 50,
  'queued.min.messages': 100_000,
  'queued.max.messages.kbytes': 65_536,
  'reconnect.backoff.max.ms': 1_000,
}

/** Settings that correctness rests on. */
const OURS = new Set([
  'bootstrap.servers',
  'metadata.broker.list',
  'group.id',
  'group.instance.id',
  'group.protocol',
  'group.remote.assignor',
  'partition.assignment.strategy',
  'transactional.id',
  'enable.idempotence',
  'enable.auto.commit',
  'enable.auto.offset.store',
  'enable.partition.eof',
  'isolation.level',
  'auto.offset.reset',
  'event_cb',
  'dr_cb',
  'dr_msg_cb',
  'delivery.report.only.error',
  'rebalance_cb',
  'offset_commit_cb',
])

/** Settings that librdkafka keeps per topic: node-rdkafka drops them from the global ones. */
const TOPIC_LEVEL = new Set([
  'request.required.acks',
  'acks',
  'request.timeout.ms',
  'message.timeout.ms',
  'delivery.timeout.ms',
  'queuing.strategy',
  'compression.level',
  'consume.callback.max.messages',
])

/** Settings that the broker decides under `group.protocol=consumer`; librdkafka refuses them there. */
const CLASSIC_ONLY = new Set(['session.timeout.ms', 'heartbeat.interval.ms', 'group.protocol.type'])

/** Settings of one client: defaults, then the user's, then those that correctness rests on. */
export interface ClientSettings {
  readonly global: Record<string, string | number | boolean>
  readonly topic: Record<string, string | number | boolean>
}

/** @throws MillraceError INVALID_OPTION for settings that Millrace sets itself. */
export function checkSettings(settings: KafkaSettings): void {
  const taken = Object.keys(settings).filter(key => OURS.has(key))
  if (taken.length === 0) return
  throw new MillraceError(
    'INVALID_OPTION',
    `Kafka settings that Millrace sets itself were given: ${taken.join(', ')}. Remove them; brokers, group protocol and instance have options of their own.`,
  )
}

/** Settings of clients that authenticate by tokens. @throws MillraceError INVALID_OPTION for those of another mechanism. */
export function tokenSettings(settings: KafkaSettings): KafkaSettings {
  const { 'sasl.mechanism': one, 'sasl.mechanisms': other = one, ...rest } = settings
  if (other !== undefined && String(other).toUpperCase() !== 'OAUTHBEARER') {
    throw new MillraceError(
      'INVALID_OPTION',
      `Authentication by tokens was chosen, and sasl.mechanism=${other} besides. Remove one of them.`,
    )
  }
  return { 'security.protocol': 'SASL_SSL', ...rest, 'sasl.mechanism': 'OAUTHBEARER' }
}

/** What a transaction may take beyond the time that it collects records for: a commit, while a broker starts again. In ms. */
const COMMIT_MS = 10_000

/**
 * How long the brokers keep a transaction open that nobody ends, in ms. Until then a killed process' open transaction
 * hides what stands behind it from readers, unless its successor ends it. As in Kafka Streams 10 s
 * (`StreamsConfig`, `DEFAULT_TRANSACTION_TIMEOUT`), here beyond the longest time between two commits.
 * @throws MillraceError INVALID_OPTION for a setting below that time, with which every transaction would be aborted.
 */
export function transactionTimeout(settings: KafkaSettings, commitIntervalMs: number): number {
  const given = settings['transaction.timeout.ms']
  if (given === undefined) return commitIntervalMs + COMMIT_MS
  if (!(Number(given) <= commitIntervalMs)) return Number(given)
  throw new MillraceError(
    'INVALID_OPTION',
    `The Kafka setting transaction.timeout.ms=${given} is no longer than the commit interval of ${commitIntervalMs} ms: brokers would abort every transaction. Raise it, or remove it: it is ${commitIntervalMs + COMMIT_MS} then.`,
  )
}

export function clientSettings(
  brokers: string,
  defaults: KafkaSettings,
  settings: KafkaSettings,
  fixed: KafkaSettings,
): ClientSettings {
  const all = { 'client.id': 'millrace', ...defaults, ...settings, ...fixed, 'bootstrap.servers': brokers }
  const consumerProtocol = fixed['group.protocol'] === 'consumer'
  const global: ClientSettings['global'] = {}
  const topic: ClientSettings['topic'] = {}
  for (const [key, value] of Object.entries(all)) {
    if (consumerProtocol && CLASSIC_ONLY.has(key)) continue
    if (TOPIC_LEVEL.has(key)) topic[key] = value
    else global[key] = value
  }
  return { global, topic }
}

const SECRET =
  /password|passphrase|secret|token(?!\.endpoint)|ssl\.key\.pem|private\.key\.pem|ssl_key$|jaas|oauthbearer\.config/i

/** Whether the value of a setting must not be seen. Names of files and of users may. */
export function isSecretSetting(setting: string): boolean {
  return SECRET.test(setting)
}

/** `text` without the values of settings that hold secrets. */
export function redact(text: string, settings: KafkaSettings): string {
  let clean = text
  for (const [key, value] of Object.entries(settings)) {
    if (typeof value === 'string' && value.length > 0 && isSecretSetting(key)) clean = clean.replaceAll(value, '***')
  }
  return clean
}
