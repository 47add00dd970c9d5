import { setImmediate as turn } from 'node:timers/promises'
import type { Message, KafkaConsumer as NativeConsumer } from 'node-rdkafka'
import type { RecordBatch } from '../../model/record-batch.js'
import type { KafkaClient } from './kafka-client.js'
import type { KafkaFailure } from './kafka-error.js'
import { packMessages } from './message-batches.js'

/**
 * What a native consumer has ready, as batches of records. Ends of partitions are events of the native consumer. One call
 * at a time.
 */
export class RecordSource {
  /** Failures that came behind records, for the next calls to throw. */
  private readonly failures: KafkaFailure[] = []

  constructor(private readonly client: KafkaClient<NativeConsumer>) {}

  /**
   * Takes up to `most` records; waits up to `waitMs` for a first one.
   * @throws KafkaFailure as librdkafka has it, records before it are not lost.
   */
  async take(most: number, waitMs: number): Promise<readonly RecordBatch[]> {
    if (this.failures.length > 0) throw this.failures.shift()
    const first = waitMs > 0 ? await this.consume(1, waitMs) : []
    if (waitMs > 0 && (first.length === 0 || most === 1)) return first
    try {
      return [...first, ...(await this.ready(most))]
    } catch (thrown) {
      if (first.length === 0) throw thrown
      this.failures.push(thrown as KafkaFailure)
      return first
    }
  }

  private async ready(most: number): Promise<readonly RecordBatch[]> {
    const { packedReader } = this.client.context
    if (packedReader === undefined) return this.consume(most, 0)
    // Nothing else here waits: without this, a consumer that always has records would hold up timers and sockets.
    await turn()
    const { batches, ends, failures } = this.client.atOnce(native => packedReader(native, most))
    for (const end of ends) this.client.native.emit('partition.eof', end)
    this.failures.push(...failures)
    if (batches.length === 0 && this.failures.length > 0) throw this.failures.shift()
    return batches
  }

  private async consume(most: number, waitMs: number): Promise<readonly RecordBatch[]> {
    const messages = await this.client.attempt<Message[]>(done => {
      this.client.native.setDefaultConsumeTimeout(waitMs)
      this.client.native.consume(most, done)
    })
    return messages.length === 0 ? [] : packMessages(messages)
  }
}
