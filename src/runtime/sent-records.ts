import type { LogProducer } from '../ports/log.js'

/** What a producer was given to send. */
export interface SentRecords {
  records: number
  /** Of keys and values. */
  bytes: number
}

/** A producer that counts into `sent`. */
export function counting(producer: LogProducer, sent: SentRecords): LogProducer {
  return {
    begin: () => producer.begin(),
    send(topic, partition, key, value, timestamp, headers) {
      sent.records++
      sent.bytes += (key?.length ?? 0) + (value?.length ?? 0)
      producer.send(topic, partition, key, value, timestamp, headers)
    },
    sendOffsets: (offsets, consumer) => producer.sendOffsets(offsets, consumer),
    commit: () => producer.commit(),
    abort: () => producer.abort(),
    flush: () => producer.flush(),
    close: () => producer.close(),
  }
}
