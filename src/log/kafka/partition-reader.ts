import type { EofEvent, Message, KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import type { RecordBatch } from '../../model/record-batch.js'
import type { TopicPartition } from '../../model/topic-partition.js'
import { LogError, type Watermarks } from '../../ports/log.js'
import { KafkaClient, type KafkaContext } from './kafka-client.js'
import { CODE, isKafkaFailure, offsetGone } from './kafka-error.js'
import { packMessages } from './message-batches.js'
import { clientSettings, FETCH_DEFAULTS } from './settings.js'

const RECORDS_A_READ = 5_000
const SLICE_MS = 20

/** Reads ranges of partitions, one at a time, outside any group. */
export class PartitionReader {
  private constructor(private readonly client: KafkaClient<NativeConsumer>) {}

  static async connect(context: KafkaContext): Promise<PartitionReader> {
    const { global, topic } = clientSettings(context.brokers, FETCH_DEFAULTS, context.settings, {
      'group.id': 'millrace-reader',
      'enable.auto.commit': false,
      'enable.auto.offset.store': false,
      'enable.partition.eof': true,
      'isolation.level': 'read_committed',
    })
    const make = () => new context.driver.KafkaConsumer(global, { ...topic, 'auto.offset.reset': 'error' })
    return new PartitionReader(await KafkaClient.connect(context, make))
  }

  /**
   * Committed records of `[from, to)`. Position `to` may stand behind records that are not delivered (of transactions,
   * or compacted away): then the end of the partition says that it is reached.
   */
  async *read(
    { topic, partition }: TopicPartition,
    from: number,
    to: number,
    bounds: () => Promise<Watermarks>,
  ): AsyncIterable<RecordBatch> {
    const { client } = this
    const { native } = client
    let next = from
    const reachedEnd = (event: EofEvent) => {
      if (event.topic === topic && event.partition === partition) next = Math.max(next, event.offset)
    }
    native.on('partition.eof', reachedEnd)
    native.assign([{ topic, partition, offset: from }])
    try {
      while (next < to) {
        const messages = (await this.consume(topic, partition, next, bounds)).filter(
          message => message.topic === topic && message.partition === partition,
        )
        const last = messages.at(-1)
        if (last) next = Math.max(next, last.offset + 1)
        const wanted = messages.filter(message => message.offset < to)
        if (wanted.length > 0) yield packMessages(topic, partition, wanted)
      }
    } finally {
      native.removeListener('partition.eof', reachedEnd)
      if (client.open) native.unassign()
    }
  }

  private async consume(
    topic: string,
    partition: number,
    next: number,
    bounds: () => Promise<Watermarks>,
  ): Promise<Message[]> {
    const { client } = this
    const { native, context } = client
    const take = (records: number, timeoutMs: number) =>
      client.attempt<Message[]>(done => {
        native.setDefaultConsumeTimeout(timeoutMs)
        native.consume(records, done)
      })
    try {
      const ready = await take(RECORDS_A_READ, 0)
      return ready.length > 0 ? ready : await take(1, SLICE_MS)
    } catch (thrown) {
      const doing = `Reading ${topic}/${partition}`
      if (!isKafkaFailure(thrown)) throw thrown
      if (thrown.code === CODE.autoOffsetReset) {
        throw offsetGone(context.name, { topic, partition, offset: next }, await bounds())
      }
      const failed = client.failed(doing, thrown)
      const passing = [CODE.transport, CODE.allBrokersDown, CODE.timedOut] as readonly number[]
      if ((passing.includes(thrown.code) || client.tokenRefused(thrown)) && failed instanceof LogError) {
        context.logger.warn(`${failed.message} Reading goes on.`)
        return []
      }
      throw failed
    }
  }

  close(): Promise<void> {
    return this.client.close()
  }
}
