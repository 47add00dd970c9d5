import { embeddedLog } from './log/embedded/embedded-log.js'
import type { ColumnValue } from './model/column.js'
import { type Duration, parseDuration } from './model/duration.js'
import { MillraceError } from './model/errors.js'
import { partitionFor } from './model/murmur2.js'
import { type Header, keyBytesAt, valueBytesAt } from './model/record-batch.js'
import type { Log, LogProducer } from './ports/log.js'
import type { SchemaRegistry } from './ports/schema-registry.js'
import type { AvroSerde } from './ports/serde.js'
import type { TableSpec, Warehouse } from './ports/warehouse.js'
import type { Accounting } from './runtime/accounting.js'
import { fieldValues } from './runtime/field-values.js'
import { ManualClock } from './runtime/manual-clock.js'
import type { ProcessStatus } from './runtime/process-status.js'
import { readableTables } from './runtime/readable-tables.js'
import { tableSpec } from './runtime/rows-program.js'
import { StreamProcess } from './runtime/stream-process.js'
import { rowKey } from './runtime/window-rows.js'
import { avroSerde } from './serde/avro-serde.js'
import { fileRegistry } from './serde/file-registry.js'
import { memoryEngine } from './state/memory/memory-engine.js'
import { deadLetterTopic, groupOf } from './topology/names.js'
import type { SourceNode, Topology } from './topology/node.js'
import { type FieldShape, keyShape, outputKeyShape, valueShape } from './topology/shape.js'
import { subTopologies } from './topology/sub-topologies.js'
import { validate } from './topology/validate.js'
import { memoryWarehouse } from './warehouse/memory/memory-warehouse.js'

/** A record for a source topic of the topology under test. */
export interface TestInput {
  /** Text for a UTF-8 key, a record for a key with a schema; default null. */
  readonly key?: string | Readonly<Record<string, unknown>> | null
  /** A value of the source's schema, null, or bytes as they are. */
  readonly value: unknown
  /** The record's own timestamp in ms; default: the driver's clock. */
  readonly timestamp?: number
  /** Default: by the key as Kafka's partitioner does; 0 for a null key. */
  readonly partition?: number
  readonly headers?: readonly Header[]
}

/** A record of an output topic, decoded. */
export interface TestOutput {
  /** Text, a record of key columns with times as Dates, or null. */
  readonly key: string | Readonly<Record<string, unknown>> | null
  readonly value: Readonly<Record<string, unknown>> | null
  readonly timestamp: number
  readonly partition: number
  readonly headers: readonly Header[]
}

/** Magic byte and schema id. */
const WIRE_HEADER_BYTES = 5

export interface TestDriverOptions {
  /** Partitions of each source topic; default 1. Use several to see that a repartition is missing. */
  readonly partitions?: number
  /** Where the driver's wall clock starts, ms since 1970; default: now. It moves by `advanceWallClock` only. */
  readonly startTime?: number
}

/**
 * Runs a topology in memory, on the production runtime: pipe records in, read topics, tables and stores.
 *
 * Every call runs to its end: what a record causes was committed and flushed when the call resolves.
 *
 * @example
 * const driver = await TopologyTestDriver.start(questMinute)
 * await driver.pipe('quest-events', { key: 'u1', value: event })
 * expect(await driver.rows('quest_minute')).toEqual([...])
 * await driver.close()
 */
export class TopologyTestDriver {
  private readonly read = new Map<string, number>()

  private constructor(
    readonly topology: Topology,
    private readonly clock: ManualClock,
    private readonly log: Log,
    private readonly registry: SchemaRegistry,
    private readonly serde: AvroSerde,
    private readonly warehouse: Warehouse,
    private readonly producer: LogProducer,
    private readonly process: StreamProcess,
    private readonly partitions: number,
  ) {}

  /** @throws MillraceError INVALID_TOPOLOGY naming every problem of the topology. */
  static async start(topology: Topology, options: TestDriverOptions = {}): Promise<TopologyTestDriver> {
    const problems = validate(topology)
    if (problems.length > 0) {
      throw new MillraceError('INVALID_TOPOLOGY', problems.map(problem => problem.message).join('\n'))
    }
    const clock = new ManualClock(options.startTime ?? Date.now())
    const engine = memoryEngine()
    const log = await embeddedLog({
      store: await engine.open('log'),
      clock,
      sessionTimeoutMs: Number.POSITIVE_INFINITY,
    })
    const registry = fileRegistry({ schemas: [] })
    const serde = avroSerde(registry)
    const warehouse = memoryWarehouse()
    const partitions = options.partitions ?? 1
    await log.createTopics(sourcesOf(topology).map(({ topic }) => ({ name: topic, partitions, config: {} })))
    const process = await StreamProcess.start({
      topology,
      log,
      serde,
      stores: engine,
      stateDirectory: 'state',
      warehouse,
      clock,
      commitInterval: 0,
      instanceId: 'test',
      logger: { info: () => undefined, warn: () => undefined },
    })
    const driver = new TopologyTestDriver(
      topology,
      clock,
      log,
      registry,
      serde,
      warehouse,
      await log.producer(),
      process,
      partitions,
    )
    await process.settle()
    return driver
  }

  /** Sends one record into a source topic and processes all that follows from it. */
  async pipe(topic: string, record: TestInput): Promise<void> {
    await this.send(topic, record)
    await this.producer.flush()
    await this.process.settle()
  }

  /** Sends records into a source topic, all before any is processed. */
  async pipeAll(topic: string, records: readonly TestInput[]): Promise<void> {
    for (const record of records) await this.send(topic, record)
    await this.producer.flush()
    await this.process.settle()
  }

  private async send(topic: string, { key = null, value, timestamp, partition, headers }: TestInput): Promise<void> {
    const source = sourcesOf(this.topology).find(node => node.topic === topic)
    if (source === undefined) {
      const known = sourcesOf(this.topology).map(node => `"${node.topic}"`)
      throw new MillraceError('MISSING_TOPIC', `The topology does not read "${topic}". It reads ${known.join(', ')}.`)
    }
    const keyBytes = await this.encodeKey(source, key)
    const bytes = value === null || Buffer.isBuffer(value) ? value : await this.encodeValue(source, value)
    const target = partition ?? (keyBytes === null ? 0 : partitionFor(keyBytes, this.partitions))
    this.producer.send(topic, target, keyBytes, bytes, timestamp ?? this.clock.now(), headers)
  }

  private async encodeKey(source: SourceNode, key: TestInput['key']): Promise<Buffer | null> {
    if (key === null || key === undefined) return null
    if (source.key) {
      const writer = await this.serde.writer(`${source.topic}-key`, source.key.schema)
      return writer.encode(fieldValues(keyShape(source) ?? []).toAvro(key as Record<string, unknown>))
    }
    return Buffer.from(typeof key === 'string' ? key : String(key[source.keyColumn]))
  }

  private async encodeValue(source: SourceNode, value: unknown): Promise<Buffer> {
    return (await this.serde.writer(`${source.topic}-value`, source.value.schema)).encode(value)
  }

  /** Moves the wall clock, which idle partitions and `maxAhead` look at, and processes what follows. */
  async advanceWallClock(duration: Duration): Promise<void> {
    this.clock.advance(parseDuration(duration))
    await this.process.settle()
  }

  /** Records of an output topic that were not read before, partition by partition. */
  async readOutput(topic: string): Promise<TestOutput[]> {
    const outputs: TestOutput[] = []
    const sink = this.topology.outputs.filter(node => node.kind === 'to-topic').find(node => node.topic === topic)
    const key = sink && outputKeyShape(sink)
    const value = sink && valueShape(sink)
    const description = (await this.log.describeTopics([topic])).get(topic)
    if (description === undefined) {
      throw new MillraceError('MISSING_TOPIC', `There is no topic "${topic}". Outputs are named in to(topic(...)).`)
    }
    for (let partition = 0; partition < description.partitions; partition++) {
      const id = `${topic}/${partition}`
      const { low, high } = await this.log.watermarks({ topic, partition })
      for await (const batch of this.log.read({ topic, partition }, this.read.get(id) ?? low, high)) {
        for (let i = 0; i < batch.count; i++) {
          const bytes = valueBytesAt(batch, i)
          outputs.push({
            key: await this.decodeKey(keyBytesAt(batch, i), key),
            value: bytes === null ? null : await this.decode(bytes, value),
            timestamp: batch.timestamps[i] as number,
            partition,
            headers: batch.headers(i),
          })
        }
      }
      this.read.set(id, high)
    }
    return outputs
  }

  private async decodeKey(bytes: Buffer | null, shape: readonly FieldShape[] | undefined): Promise<TestOutput['key']> {
    if (bytes === null) return null
    return bytes[0] === 0 ? this.decode(bytes, shape) : bytes.toString()
  }

  /** Decodes wire format with the writer's own schema; `shape` tells what is a Date or a decimal. */
  private async decode(bytes: Buffer, shape: readonly FieldShape[] | undefined): Promise<Record<string, unknown>> {
    const schema = await this.registry.schema(bytes.readInt32BE(1))
    if (schema === undefined)
      throw new MillraceError('UNKNOWN_SCHEMA_ID', `Nobody registered schema id ${bytes.readInt32BE(1)}.`)
    const record = this.serde.codec(schema).decode(bytes, WIRE_HEADER_BYTES) as Record<string, unknown>
    return fieldValues(shape ?? []).fromAvro(record)
  }

  /**
   * Rows of a warehouse table, of a part of a split one (`quest_minute_closed`) or of a view beside it, as objects of its columns,
   * ordered by key.
   */
  async rows(table: string): Promise<Record<string, ColumnValue>[]> {
    const spec = this.tableOf(table)
    const rows: Record<string, ColumnValue>[] = []
    for await (const row of this.warehouse.rows(spec)) {
      rows.push(Object.fromEntries(spec.columns.map((column, i) => [column.name, row[i] as ColumnValue])))
    }
    const keyText = (row: Record<string, ColumnValue>): string =>
      spec.key.map(name => (row[name] instanceof Date ? row[name].toISOString() : String(row[name]))).join('\0')
    return rows.sort((a, b) => (keyText(a) < keyText(b) ? -1 : 1))
  }

  private tableOf(table: string): TableSpec {
    const sinks = this.topology.outputs.filter(node => node.kind === 'to-warehouse')
    const tables = sinks.flatMap(node => readableTables(tableSpec(node)))
    const found = tables.find(({ name }) => name === table)
    if (found) return found
    const known = tables.map(({ name }) => `"${name}"`).join(', ') || 'none'
    throw new MillraceError('WAREHOUSE_TABLE', `The topology has no table "${table}". It has ${known}.`)
  }

  /** What a store holds: the open windows of an aggregate or reduce, with their key columns and measures. */
  async store(name: string): Promise<Record<string, unknown>[]> {
    const entries: Record<string, unknown>[] = []
    for (const task of this.process.runningTasks) {
      for (const { program: aggregate, windows } of task.tables) {
        const { node, window, program } = aggregate
        if (node.name !== name) continue
        for (const cell of await windows.entries()) {
          const value = cell.states && program.row(cell.states, () => undefined)
          entries.push({ ...rowKey(cell.key.columns, window, cell.start), ...(value as object) })
        }
      }
    }
    return entries
  }

  /** Records that were set aside, with their original bytes and KIP-1034's headers, not read before. */
  async readDeadLetters(): Promise<{ key: Buffer | null; value: Buffer | null; headers: readonly Header[] }[]> {
    const deadLetters = deadLetterTopic(groupOf(this.topology))
    const letters: { key: Buffer | null; value: Buffer | null; headers: readonly Header[] }[] = []
    for (let partition = 0; partition < this.partitions; partition++) {
      const id = `${deadLetters}/${partition}`
      const { low, high } = await this.log.watermarks({ topic: deadLetters, partition })
      for await (const batch of this.log.read({ topic: deadLetters, partition }, this.read.get(id) ?? low, high)) {
        for (let i = 0; i < batch.count; i++) {
          letters.push({ key: keyBytesAt(batch, i), value: valueBytesAt(batch, i), headers: batch.headers(i) })
        }
      }
      this.read.set(id, high)
    }
    return letters
  }

  /** What became of the records so far: each has one outcome. */
  async accounting(): Promise<Accounting> {
    return (await this.status()).accounting
  }

  async status(): Promise<ProcessStatus> {
    return this.process.status()
  }

  async close(): Promise<void> {
    await this.process.close()
    await this.producer.close()
    await this.log.close()
  }
}

function sourcesOf(topology: Topology): SourceNode[] {
  return subTopologies(topology).flatMap(({ source }) => (source.kind === 'source' ? [source] : []))
}
