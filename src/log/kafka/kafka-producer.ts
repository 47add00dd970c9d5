import { setImmediate as turn } from 'node:timers/promises'
import type { DeliveryReport, MessageHeader, Producer } from 'node-rdkafka'
import type { Header } from '../../model/record-batch.js'
import type { PartitionOffset } from '../../model/topic-partition.js'
import { type LogConsumer, LogError, type LogProducer } from '../../ports/log.js'
import { KafkaClient, type KafkaContext } from './kafka-client.js'
import { KafkaConsumer } from './kafka-consumer.js'
import { CODE, isKafkaFailure, type KafkaFailure, logError } from './kafka-error.js'
import { clientSettings } from './settings.js'

const DEFAULTS = {
  'linger.ms': 5,
  'queue.buffering.max.messages': 500_000,
  // The topics decide how large a record may be; batches stay below `batch.size`.
  'message.max.bytes': 8 * 1024 * 1024 + 65_536,
  // Topics are known to exist when they are written: an unknown one is an error soon, not after 30 s.
  'topic.metadata.propagation.max.ms': 5_000,
  'reconnect.backoff.max.ms': 1_000,
}
const POLL_EVERY_MS = 10
const CALL_MS = 30_000
/**
 * Delivery reports of records that librdkafka gave up because of something else: their transaction, fenced or timed out,
 * or an outage. In a transaction the commit says what that is, and what to do. The driver passes texts, and no codes.
 */
const GIVEN_UP = /purged in (queue|flight)|message timed out/i
/** The driver takes an empty buffer for null unless it has an address. */
const EMPTY = Buffer.alloc(1).subarray(0, 0)
const addressed = (bytes: Buffer | null) => (bytes?.length === 0 ? EMPTY : bytes)

interface Queued {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: MessageHeader[] | undefined
}

/** A producer on librdkafka: idempotent, transactional where it has an id. */
export class KafkaProducer implements LogProducer {
  /** Records that found librdkafka's queue full. Those behind them wait too, to keep the order. */
  private backlog: Queued[] = []
  private draining: NodeJS.Timeout | undefined
  /** First record that was not delivered since the last flush, commit or abort. */
  private failure: LogError | undefined
  private open = false

  private constructor(
    private readonly client: KafkaClient<Producer>,
    private readonly transactionalId: string | undefined,
  ) {
    client.native.on('delivery-report', (failure: KafkaFailure | null, report: DeliveryReport) => {
      if (failure) this.undelivered(report.topic, report.partition, report.size, failure)
    })
    client.native.setPollInterval(POLL_EVERY_MS)
  }

  static async connect(context: KafkaContext, transactionalId: string | undefined): Promise<KafkaProducer> {
    const { global, topic } = clientSettings(context.brokers, DEFAULTS, context.settings, {
      'enable.idempotence': true,
      'delivery.report.only.error': true,
      ...(transactionalId === undefined ? {} : { 'transactional.id': transactionalId }),
    })
    const make = () => new context.driver.Producer({ ...global, dr_cb: true }, topic)
    const client = await KafkaClient.connect(context, make)
    if (transactionalId !== undefined) {
      try {
        await client.retry<void>(`Preparing the transactional id "${transactionalId}"`, done =>
          client.native.initTransactions(CALL_MS, failure => done(failure, undefined)),
        )
      } catch (thrown) {
        await client.close()
        throw thrown
      }
    }
    return new KafkaProducer(client, transactionalId)
  }

  async begin(): Promise<void> {
    await this.client.retry<void>('Opening a transaction', done =>
      this.client.native.beginTransaction(failure => done(failure, undefined)),
    )
    this.open = true
  }

  send(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers?: readonly Header[],
  ): void {
    const list = headers && headers.length > 0 ? headers.map(([name, text]) => ({ [name]: text })) : undefined
    const record = { topic, partition, key, value, timestamp, headers: list }
    if (this.backlog.length === 0 && this.produce(record)) return
    this.backlog.push({ ...record, key: key && Buffer.from(key), value: value && Buffer.from(value) })
    this.draining ??= setTimeout(() => this.drain(), POLL_EVERY_MS)
  }

  /** False where the queue is full. */
  private produce({ topic, partition, key, value, timestamp, headers }: Queued): boolean {
    try {
      this.client.native.produce(topic, partition, addressed(value), addressed(key), timestamp, undefined, headers)
    } catch (thrown) {
      if (!isKafkaFailure(thrown)) throw new LogError('fatal', `The producer is closed.`, { cause: thrown })
      if (thrown.code === CODE.queueFull) return false
      this.undelivered(topic, partition, (key?.length ?? 0) + (value?.length ?? 0), thrown)
    }
    return true
  }

  private drain(): void {
    this.draining = undefined
    if (!this.client.open) return
    this.client.native.poll()
    let sent = 0
    while (sent < this.backlog.length && this.produce(this.backlog[sent] as Queued)) sent++
    this.backlog = this.backlog.slice(sent)
    if (this.backlog.length > 0) this.draining = setTimeout(() => this.drain(), POLL_EVERY_MS)
  }

  /** Resolves when all that was sent is in librdkafka's queue. */
  private async drained(): Promise<void> {
    while (this.backlog.length > 0 && this.client.open) await this.client.context.clock.sleep(POLL_EVERY_MS)
  }

  private undelivered(topic: string, partition: number, size: number, failure: KafkaFailure): void {
    if (this.transactionalId !== undefined && GIVEN_UP.test(failure.message)) return
    const tooLarge = failure.code === CODE.messageTooLarge || /message size too large/i.test(failure.message)
    const advice = tooLarge
      ? ` A record of ${size} bytes is too large: raise message.max.bytes in the Kafka settings and max.message.bytes of the topic, or send less.`
      : ''
    const doing = `Writing to ${topic}/${partition}`
    const { message } = logError(this.client.context.name, doing, failure, text => this.client.clean(text))
    this.failure ??= new LogError('fatal', `${message}${advice}`, { cause: failure })
  }

  async sendOffsets(offsets: readonly PartitionOffset[], consumer: LogConsumer): Promise<void> {
    if (!(consumer instanceof KafkaConsumer)) {
      throw new LogError('fatal', 'sendOffsets() needs a consumer of the same log.')
    }
    await consumer.lend(native =>
      this.client.retry<void>('Adding offsets to a transaction', done =>
        this.client.native.sendOffsetsToTransaction([...offsets], native, CALL_MS, failure => done(failure, undefined)),
      ),
    )
  }

  async commit(): Promise<void> {
    await this.drained()
    if (this.failure) throw this.failure
    try {
      await this.client.retry<void>('Committing a transaction', done =>
        this.client.native.commitTransaction(CALL_MS, failure => done(failure, undefined)),
      )
    } catch (thrown) {
      await this.reports()
      const fenced = thrown instanceof LogError && thrown.code === 'LOG_FENCED'
      throw fenced ? thrown : (this.failure ?? thrown)
    }
    this.open = false
  }

  async abort(): Promise<void> {
    this.backlog = []
    await this.client.retry<void>('Aborting a transaction', done =>
      this.client.native.abortTransaction(CALL_MS, failure => done(failure, undefined)),
    )
    await this.reports()
    this.failure = undefined
    this.open = false
  }

  async flush(): Promise<void> {
    await this.drained()
    await this.client.retry<void>('Writing records', done =>
      this.client.native.flush(CALL_MS, failure => done(failure, undefined)),
    )
    await this.reports()
    const { failure } = this
    if (this.transactionalId === undefined) this.failure = undefined
    if (failure) throw failure
  }

  /** Delivery reports that were made by now arrive within two turns of the event loop. */
  private async reports(): Promise<void> {
    await turn()
    await turn()
  }

  async close(): Promise<void> {
    if (!this.client.open) return
    clearTimeout(this.draining)
    if (this.open) await this.abort().catch(() => undefined)
    await this.client.close()
  }
}
