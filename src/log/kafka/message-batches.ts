import type { Message } from 'node-rdkafka'
import { type Header, type RecordBatch, RecordBatchBuilder } from '../../model/record-batch.js'
import { partitionId } from '../../model/topic-partition.js'

const bytesOf = (field: Buffer | string | null | undefined): Buffer | null =>
  typeof field === 'string' ? Buffer.from(field) : (field ?? null)

function headersOf(message: Message): readonly Header[] | undefined {
  return message.headers?.flatMap(header =>
    Object.entries(header).map(([name, value]) => [name, value.toString()] as const),
  )
}

/** Packs messages, a batch a partition. */
export function packMessages(messages: readonly Message[]): readonly RecordBatch[] {
  const builders = new Map<string, RecordBatchBuilder>()
  let builder: RecordBatchBuilder | undefined
  for (const message of messages) {
    const { topic, partition, offset, timestamp, key, value } = message
    if (builder?.partition !== partition || builder.topic !== topic) {
      const id = partitionId({ topic, partition })
      builder = builders.get(id) ?? new RecordBatchBuilder(topic, partition)
      builders.set(id, builder)
    }
    builder.add(offset, timestamp ?? -1, bytesOf(key), bytesOf(value), headersOf(message))
  }
  return [...builders.values()].map(one => one.build())
}
