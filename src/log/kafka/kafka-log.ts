import type { KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import type { RecordBatch } from '../../model/record-batch.js'
import type { TopicPartition } from '../../model/topic-partition.js'
import type { Clock } from '../../ports/clock.js'
import type {
  Log,
  LogConsumer,
  LogProducer,
  LogReader,
  TopicDescription,
  TopicSpec,
  Watermarks,
} from '../../ports/log.js'
import { createTopics, describeTopics } from './admin.js'
import type { GroupProtocol } from './group-client.js'
import { KafkaClient, type KafkaContext, type KafkaLogger } from './kafka-client.js'
import { KafkaConsumer } from './kafka-consumer.js'
import { offsetGone } from './kafka-error.js'
import { KafkaProducer } from './kafka-producer.js'
import { OauthTokens, type TokenSource } from './oauth-tokens.js'
import { packedReader } from './packed-reader.js'
import { PartitionReader } from './partition-reader.js'
import { checkSecurity } from './security.js'
import { checkSettings, clientSettings, type KafkaSettings, tokenSettings, transactionTimeout } from './settings.js'

const QUERY_MS = 5_000

export interface KafkaLogOptions {
  /** `host:port`, several separated by commas. */
  readonly brokers: string
  /** librdkafka settings by its own names, for all clients: `security.protocol`, `sasl.username`, `compression.codec` … */
  readonly config?: KafkaSettings
  /** Clients authenticate by SASL/OAUTHBEARER with tokens from here, which are renewed. Over TLS, unless `config` says otherwise. */
  readonly tokens?: TokenSource
  /** Default `auto`: `consumer` (KIP-848, Kafka 4.0 and later) where the brokers have it, else `classic`. */
  readonly groupProtocol?: GroupProtocol
  /** Longest time for which a transaction collects records, in ms; default 0. Brokers abort one that takes 10 s more. */
  readonly commitIntervalMs?: number
  /** Of topics that are created; default the brokers' `default.replication.factor`. */
  readonly replicationFactor?: number
  readonly clock?: Clock
  /**
   * Reads through the packed reader where it is built (default), which takes a tenth of the CPU time a record; without it,
   * by node-rdkafka's own calls.
   */
  readonly packed?: boolean
  /** Default: silent. */
  readonly logger?: KafkaLogger
}

const WALL_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
}
const SILENT: KafkaLogger = { debug: () => undefined, warn: () => undefined }

/**
 * Kafka as the log. node-rdkafka is loaded here, and connections are made when they are needed.
 * @throws MillraceError INVALID_OPTION for settings that Millrace sets itself, and for those of security and compression
 * that cannot work with this build of librdkafka.
 */
export async function kafkaLog(options: KafkaLogOptions): Promise<Log> {
  const { brokers, config = {}, tokens: source, commitIntervalMs = 0, clock = WALL_CLOCK, logger = SILENT } = options
  checkSettings(config)
  const timeout = { 'transaction.timeout.ms': transactionTimeout(config, commitIntervalMs) }
  const settings = { ...(source ? tokenSettings(config) : config), ...timeout }
  const { default: driver } = await import('node-rdkafka')
  await checkSecurity(settings, driver.features)
  const tokens = source && new OauthTokens(source, clock, logger)
  const name = `Kafka at ${brokers}`
  const reader =
    options.packed === false
      ? undefined
      : packedReader(reason => logger.debug(`${name}: read without the packed reader (${reason}).`))
  const context = { driver, name, brokers, settings, clock, logger }
  return new KafkaLog({ ...context, ...(tokens && { tokens }), ...(reader && { packedReader: reader }) }, options)
}

class KafkaLog implements Log {
  readonly name: string
  private plain: Promise<KafkaClient<NativeConsumer>> | undefined
  private readonly idleReaders: PartitionReader[] = []
  /** Brokers without the newer group protocol were met. */
  private readonly brokerTraits = { classicOnly: false }

  constructor(
    private readonly context: KafkaContext,
    private readonly options: KafkaLogOptions,
  ) {
    this.name = context.name
  }

  /** A client that sees open transactions too, for questions about topics. */
  private questions(): Promise<KafkaClient<NativeConsumer>> {
    this.plain ??= this.connectPlain()
    this.plain.catch(() => {
      this.plain = undefined
    })
    return this.plain
  }

  private connectPlain(): Promise<KafkaClient<NativeConsumer>> {
    const { brokers, settings, driver } = this.context
    const { global, topic } = clientSettings(brokers, {}, settings, {
      'group.id': 'millrace-questions',
      'enable.auto.commit': false,
      'isolation.level': 'read_uncommitted',
    })
    return KafkaClient.connect(this.context, () => new driver.KafkaConsumer(global, topic))
  }

  async describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    return describeTopics(await this.questions(), names)
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    await createTopics(await this.questions(), topics, this.options.replicationFactor ?? -1)
  }

  async watermarks({ topic, partition }: TopicPartition): Promise<Watermarks> {
    const client = await this.questions()
    const { lowOffset, highOffset } = await client.retry<{ lowOffset: number; highOffset: number }>(
      `Asking for the offsets of ${topic}/${partition}`,
      done => client.native.queryWatermarkOffsets(topic, partition, QUERY_MS, done),
    )
    return { low: lowOffset, high: highOffset }
  }

  async *read(at: TopicPartition, from: number, to: number): AsyncIterable<RecordBatch> {
    if (from >= to) return
    const bounds = await this.watermarks(at)
    if (from < bounds.low || from > bounds.high) throw offsetGone(this.name, { ...at, offset: from }, bounds)
    const reader = this.idleReaders.pop() ?? (await PartitionReader.connect(this.context))
    let healthy = false
    try {
      yield* reader.read(at, from, to, () => this.watermarks(at))
      healthy = true
    } finally {
      if (healthy) this.idleReaders.push(reader)
      else await reader.close()
    }
  }

  consumer({ group, instanceId }: { readonly group: string; readonly instanceId?: string }): Promise<LogConsumer> {
    return this.connectConsumer(group, instanceId)
  }

  reader(): Promise<LogReader> {
    return this.connectConsumer(undefined)
  }

  private connectConsumer(group: string | undefined, instanceId?: string): Promise<KafkaConsumer> {
    return KafkaConsumer.connect(this.context, {
      group,
      instanceId,
      protocol: this.options.groupProtocol ?? 'auto',
      brokerTraits: this.brokerTraits,
      watermarks: at => this.watermarks(at),
    })
  }

  async producer(options: { readonly transactionalId?: string } = {}): Promise<LogProducer> {
    return KafkaProducer.connect(this.context, options.transactionalId)
  }

  async close(): Promise<void> {
    this.context.tokens?.close()
    const plain = this.plain
    this.plain = undefined
    await Promise.all([
      ...this.idleReaders.splice(0).map(reader => reader.close()),
      plain?.then(client => client.close()),
    ])
  }
}
