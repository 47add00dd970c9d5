import type { EofEvent, KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import { type RecordBatch, RecordBatchBuilder, sliceBatch } from '../../model/record-batch.js'
import type { PartitionOffset, TopicPartition } from '../../model/topic-partition.js'
import { LogError, type Watermarks } from '../../ports/log.js'
import { KafkaClient, type KafkaContext } from './kafka-client.js'
import { CODE, isKafkaFailure, offsetGone } from './kafka-error.js'
import { RecordSource } from './record-source.js'
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
    const source = new RecordSource(client)
    let next = from
    const reachedEnd = (event: EofEvent) => {
      if (event.topic === topic && event.partition === partition) next = Math.max(next, event.offset)
    }
    native.on('partition.eof', reachedEnd)
    native.assign([{ topic, partition, offset: from }])
    try {
      while (next < to) {
        const batches = await this.consume(source, { topic, partition, offset: next }, bounds)
        // Behind an open transaction nothing comes for a while: whoever reads may have other things to do.
        if (batches.length === 0 && next < to) yield new RecordBatchBuilder(topic, partition).build()
        for (const batch of batches) {
          if (batch.topic !== topic || batch.partition !== partition) continue
          const { count, offsets } = batch
          next = Math.max(next, (offsets[count - 1] as number) + 1)
          let wanted = count
          while (wanted > 0 && (offsets[wanted - 1] as number) >= to) wanted--
          if (wanted > 0) yield sliceBatch(batch, 0, wanted)
        }
      }
    } finally {
      native.removeListener('partition.eof', reachedEnd)
      if (client.open) native.unassign()
    }
  }

  private async consume(
    source: RecordSource,
    at: PartitionOffset,
    bounds: () => Promise<Watermarks>,
  ): Promise<readonly RecordBatch[]> {
    const { client } = this
    const { context } = client
    try {
      const ready = await source.take(RECORDS_A_READ, 0)
      return ready.length > 0 ? ready : await source.take(1, SLICE_MS)
    } catch (thrown) {
      const doing = `Reading ${at.topic}/${at.partition}`
      if (!isKafkaFailure(thrown)) throw thrown
      if (thrown.code === CODE.autoOffsetReset) {
        throw offsetGone(context.name, at, await bounds())
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
