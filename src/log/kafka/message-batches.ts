import type { Message } from 'node-rdkafka'
import { type Header, type RecordBatch, RecordBatchBuilder } from '../../model/record-batch.js'

const bytesOf = (field: Buffer | string | null | undefined): Buffer | null =>
  typeof field === 'string' ? Buffer.from(field) : (field ?? null)

function headersOf(message: Message): readonly Header[] | undefined {
  return message.headers?.flatMap(header =>
    Object.entries(header).map(([name, value]) => [name, value.toString()] as const),
  )
}

/** Packs messages of one partition. */
export function packMessages(topic: string, partition: number, messages: readonly Message[]): RecordBatch {
  const builder = new RecordBatchBuilder(topic, partition)
  for (const message of messages) {
    const { offset, timestamp, key, value } = message
    builder.add(offset, timestamp ?? -1, bytesOf(key), bytesOf(value), headersOf(message))
  }
  return builder.build()
}
