import { type RecordBatch, sliceBatch } from '../../../src/model/record-batch.js'
import type { PartitionOffset, TopicPartition } from '../../../src/model/topic-partition.js'
import {
  type Log,
  type LogConsumer,
  LogError,
  type LogProducer,
  type LogReader,
  type Polled,
} from '../../../src/ports/log.js'
import type { Store, StoreEngine, StoreWrite } from '../../../src/ports/store.js'

/** What stands between a member and the world: it may wait, fail, or be dead. */
export interface Gate {
  /** Called before each operation that leaves the process. Throws when the process has crashed. */
  pass(operation: string): Promise<void>
  /** Throws when the process has crashed. */
  alive(): void
  /** Whether this operation fails with an aborted transaction. */
  aborts(operation: string): boolean
  /** Largest number of records of a poll. */
  pollRecords(): number
  /** Consumers and stores that a crash must take away. */
  readonly consumers: LogConsumer[]
  readonly stores: Set<Store>
}

function failed(operation: string): LogError {
  return new LogError('abort', `The simulation lets ${operation} fail.`)
}

const inner = new WeakMap<LogConsumer, LogConsumer>()

/** A log as one member sees it. */
export function gatedLog(log: Log, gate: Gate): Log {
  return {
    name: log.name,
    describeTopics: names => log.describeTopics(names),
    createTopics: topics => log.createTopics(topics),
    async watermarks(at) {
      await gate.pass('watermarks')
      return log.watermarks(at)
    },
    async *read(at: TopicPartition, from: number, to: number): AsyncIterable<RecordBatch> {
      for await (const batch of log.read(at, from, to)) {
        for (let next = 0; next < batch.count; ) {
          await gate.pass('read')
          const end = Math.min(batch.count, next + gate.pollRecords())
          yield sliceBatch(batch, next, end)
          next = end
        }
      }
    },
    async consumer(options) {
      return gatedConsumer(await log.consumer(options), gate)
    },
    async reader() {
      return gatedReader(await log.reader(), gate)
    },
    async producer(options) {
      return gatedProducer(await log.producer(options), gate)
    },
    close: () => log.close(),
  }
}

/** A first record alone, as Kafka's consumer gives the one that it waited for: a poll may hold several batches of a partition. */
function apart(batch: RecordBatch): RecordBatch[] {
  return batch.count > 1 ? [sliceBatch(batch, 0, 1), sliceBatch(batch, 1)] : [batch]
}

function gatedReader(consumer: LogReader, gate: Gate): LogReader {
  return {
    async poll(): Promise<Polled> {
      await gate.pass('poll')
      const polled = await consumer.poll(gate.pollRecords(), 0)
      return { ...polled, batches: polled.batches.flatMap(apart) }
    },
    assign: positions => {
      gate.alive()
      consumer.assign(positions)
    },
    release: partitions => {
      gate.alive()
      consumer.release(partitions)
    },
    pause: partitions => consumer.pause(partitions),
    resume: partitions => consumer.resume(partitions),
    async seek(position: PartitionOffset) {
      await gate.pass('seek')
      return consumer.seek(position)
    },
    async close() {
      gate.alive()
      return consumer.close()
    },
  }
}

function gatedConsumer(consumer: LogConsumer, gate: Gate): LogConsumer {
  const gated: LogConsumer = {
    ...gatedReader(consumer, gate),
    get joined() {
      return consumer.joined
    },
    subscribe: topics => consumer.subscribe(topics),
    async committed(partitions) {
      await gate.pass('committed')
      return consumer.committed(partitions)
    },
    async commit(offsets) {
      await gate.pass('commit of offsets')
      if (gate.aborts('commit of offsets')) throw failed('commit of offsets')
      return consumer.commit(offsets)
    },
  }
  inner.set(gated, consumer)
  gate.consumers.push(consumer)
  return gated
}

function gatedProducer(producer: LogProducer, gate: Gate): LogProducer {
  return {
    async begin() {
      await gate.pass('begin')
      return producer.begin()
    },
    send(...record) {
      gate.alive()
      producer.send(...record)
    },
    async sendOffsets(offsets, consumer) {
      await gate.pass('sendOffsets')
      if (gate.aborts('sendOffsets')) throw failed('sendOffsets')
      return producer.sendOffsets(offsets, inner.get(consumer) as LogConsumer)
    },
    async commit() {
      await gate.pass('commit')
      if (gate.aborts('commit')) throw failed('commit')
      return producer.commit()
    },
    async abort() {
      await gate.pass('abort')
      return producer.abort()
    },
    async flush() {
      await gate.pass('flush')
      return producer.flush()
    },
    async close() {
      gate.alive()
      return producer.close()
    },
  }
}

/** An engine as one member sees it. */
export function gatedEngine(engine: StoreEngine, gate: Gate): StoreEngine {
  return {
    name: engine.name,
    async open(directory) {
      await gate.pass('open')
      const store = await engine.open(directory)
      gate.stores.add(store)
      return gatedStore(store, gate)
    },
    destroy: directory => engine.destroy(directory),
  }
}

function gatedStore(store: Store, gate: Gate): Store {
  return {
    async getMany(keys) {
      await gate.pass('getMany')
      return store.getMany(keys)
    },
    async *range(from, to, options) {
      await gate.pass('range')
      yield* store.range(from, to, options)
    },
    async write(batch: readonly StoreWrite[]) {
      await gate.pass('write')
      return store.write(batch)
    },
    sizeOnDisk: () => store.sizeOnDisk(),
    async close() {
      gate.alive()
      gate.stores.delete(store)
      return store.close()
    },
  }
}
