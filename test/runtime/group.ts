import type { Topology } from 'millrace'
import { embeddedLog } from '../../src/log/embedded/embedded-log.js'
import type { AvroSchema } from '../../src/model/avro-schema.js'
import { keyBytesAt, valueBytesAt } from '../../src/model/record-batch.js'
import type { Log, LogProducer } from '../../src/ports/log.js'
import type { StoreEngine } from '../../src/ports/store.js'
import { StreamProcess } from '../../src/runtime/stream-process.js'
import type { StreamProcessOptions } from '../../src/runtime/stream-process-options.js'
import { avroSerde } from '../../src/serde/avro-serde.js'
import { fileRegistry } from '../../src/serde/file-registry.js'
import { memoryEngine } from '../../src/state/memory/memory-engine.js'
import { memoryWarehouse } from '../../src/warehouse/memory/memory-warehouse.js'
import { ManualClock } from '../log/clocks.js'
import { type Event, event, T0 } from './events.js'
import { type Gate, gatedEngine, gatedLog } from './simulation/gated.js'

/** What a test does at the operations of one process: wait, do something else meanwhile, or throw. */
export interface Watch {
  /** Before an operation: `commit`, `sendOffsets`, `flush`, `write`, `committed`, … */
  readonly before?: (operation: string) => Promise<void> | void
  /** Largest number of records of a poll. */
  readonly pollRecords?: number
}

/** A log with a topic `events`, and processes on it. */
export class TestGroup {
  readonly warnings: string[] = []
  readonly registry = fileRegistry({ schemas: [] })
  readonly serde = avroSerde(this.registry)
  readonly warehouse = memoryWarehouse()
  private producer!: LogProducer

  private constructor(
    readonly log: Log,
    readonly clock: ManualClock,
  ) {}

  /** Sessions last 100 ms of the clock, unless another time is given. */
  static async create(partitions = 1, sessionTimeoutMs = 100): Promise<TestGroup> {
    const clock = new ManualClock()
    clock.time = T0
    const log = await embeddedLog({ store: await memoryEngine().open('log'), clock, sessionTimeoutMs })
    await log.createTopics([{ name: 'events', partitions, config: {} }])
    const group = new TestGroup(log, clock)
    group.producer = await log.producer()
    return group
  }

  async send(partition: number, ...events: (Partial<Event> & { readonly at: number })[]): Promise<void> {
    await this.sendAs({}, partition, ...events)
  }

  /** As `send`, by a writer whose schema differs: it has an id of its own. */
  async sendAs(
    difference: Readonly<Record<string, string>>,
    partition: number,
    ...events: (Partial<Event> & { readonly at: number })[]
  ): Promise<void> {
    const schema = { ...(event.schema as object), ...difference } as AvroSchema
    const writer = await this.serde.writer('events-value', schema)
    for (const given of events) {
      const value = { k: 'a', id: 0, n: 1, ...given }
      const key = value.k === null ? null : Buffer.from(value.k)
      this.producer.send('events', partition, key, writer.encode(value), this.clock.time)
    }
    await this.producer.flush()
  }

  async start(
    topology: Topology,
    options: Partial<StreamProcessOptions> & { readonly engine?: StoreEngine; readonly watch?: Watch } = {},
  ): Promise<StreamProcess> {
    const { engine = memoryEngine(), watch = {}, ...others } = options
    const gate: Gate = {
      pass: async operation => watch.before?.(operation),
      alive: () => undefined,
      aborts: () => false,
      pollRecords: () => watch.pollRecords ?? 10_000,
      consumers: [],
      stores: new Set(),
    }
    return StreamProcess.start({
      topology,
      log: gatedLog(this.log, gate),
      serde: this.serde,
      stores: gatedEngine(engine, gate),
      stateDirectory: 'state',
      warehouse: this.warehouse,
      clock: this.clock,
      commitInterval: 0,
      instanceId: 'one',
      logger: { info: () => undefined, warn: message => this.warnings.push(message) },
      ...others,
    })
  }

  /** Values of an output topic, partition by partition. */
  async values(topic: string): Promise<Record<string, unknown>[]> {
    const values: Record<string, unknown>[] = []
    for (const { value } of await this.records(topic)) {
      const written = await this.registry.schema(value!.readInt32BE(1))
      values.push(this.serde.codec(written!).decode(value!, 5) as Record<string, unknown>)
    }
    return values
  }

  /** Records of any topic, as they are. */
  async records(topic: string): Promise<{ readonly key: Buffer | null; readonly value: Buffer | null }[]> {
    const records: { key: Buffer | null; value: Buffer | null }[] = []
    const partitions = (await this.log.describeTopics([topic])).get(topic)?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) {
      const { low, high } = await this.log.watermarks({ topic, partition })
      for await (const batch of this.log.read({ topic, partition }, low, high)) {
        for (let i = 0; i < batch.count; i++) records.push({ key: keyBytesAt(batch, i), value: valueBytesAt(batch, i) })
      }
    }
    return records
  }
}
