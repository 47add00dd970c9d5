import type { AvroSchema } from '../model/avro-schema.js'
import type { LogProducer, TopicDescription } from '../ports/log.js'
import type { AvroCodec, AvroSerde } from '../ports/serde.js'
import { graphOf } from '../topology/graph.js'
import { changelogTopic, repartitionTopic, rowsTopic } from '../topology/names.js'
import type {
  AggregateNode,
  Node,
  ReduceNode,
  RepartitionNode,
  Topology,
  WarehouseSinkNode,
  WindowSpec,
} from '../topology/node.js'
import { keyShape, valueShape, windowOf } from '../topology/shape.js'
import { combinable, type SubTopology, subTopologies } from '../topology/sub-topologies.js'
import { Combiner } from './combiner.js'
import { fieldValues, recordSchema } from './field-values.js'
import { fingerprintOf } from './internal-value.js'
import { KeyCodec } from './key-codec.js'
import { type Closes, MarkerWriter } from './marker-writer.js'
import { MeasureProgram } from './measure-program.js'
import { RowsOutput } from './outputs.js'
import type { CatalogueEntry } from './progress.js'
import { rawValue } from './raw-value.js'
import { RepartitionWriter } from './repartition-writer.js'
import { rowFields, rowsProgram } from './rows-program.js'
import { readsKey, sourceInput } from './source-input.js'
import type {
  AggregateProgram,
  Output,
  RepartitionInput,
  RowsProgram,
  SourceInput,
  SubTopologyProgram,
} from './sub-topology-program.js'
import { topicOutput } from './topic-output.js'
import { inputTopic, type TopicPlan } from './topic-plan.js'

/** What compiling needs of the process. */
export interface CompileEnvironment {
  readonly serde: AvroSerde
  readonly producer: LogProducer
  readonly now: () => number
  /** Descriptions of the topics in the log, which now all exist. */
  readonly topics: ReadonlyMap<string, TopicDescription>
  /** The schema of internal values that another version of the topology wrote. */
  readonly schemaOf: (fingerprint: string) => CatalogueEntry | undefined
}

/** A topology, compiled once a process. */
export interface TopologyProgram {
  readonly plan: TopicPlan
  readonly subs: readonly (SubTopologyProgram | RowsProgram)[]
  /** Schemas of its internal values, by fingerprint. */
  readonly catalogue: ReadonlyMap<string, CatalogueEntry>
}

/** Compiles every sub-topology of a topology. */
export async function compileTopology(
  topology: Topology,
  plan: TopicPlan,
  environment: CompileEnvironment,
): Promise<TopologyProgram> {
  const compiler = new Compiler(topology, plan, environment)
  const subs: (SubTopologyProgram | RowsProgram)[] = []
  for (const sub of subTopologies(topology)) subs.push(await compiler.compile(sub))
  return { plan, subs, catalogue: compiler.catalogue }
}

class Compiler {
  readonly catalogue = new Map<string, CatalogueEntry>()
  private readonly aggregates = new Map<Node, AggregateProgram>()
  private readonly readers: ReadonlyMap<Node, readonly Node[]>
  private readonly subs: readonly SubTopology[]

  constructor(
    private readonly topology: Topology,
    private readonly plan: TopicPlan,
    private readonly environment: CompileEnvironment,
  ) {
    this.readers = graphOf(topology).readers
    this.subs = subTopologies(topology)
  }

  private partitions(topic: string): number {
    return this.environment.topics.get(topic)?.partitions ?? (this.plan.partitions.get(topic) as number)
  }

  async compile(sub: SubTopology): Promise<SubTopologyProgram | RowsProgram> {
    const { source } = sub
    if (source.kind === 'to-warehouse') return this.rowsProgram(source)
    const { group } = this.plan
    const topic = inputTopic(group, sub)
    const aggregates = new Map<Node, AggregateProgram>()
    for (const node of sub.nodes) {
      if (node.kind === 'aggregate' || node.kind === 'reduce') aggregates.set(node, this.aggregate(node, sub))
    }
    const outputs = new Map<Node, Output>()
    const writers: RepartitionWriter[] = []
    for (const node of sub.outputs) {
      if (node.kind === 'repartition') {
        const writer = this.repartitionWriter(node, topic, sub)
        writers.push(writer)
        outputs.set(node, writer)
      } else
        outputs.set(
          node,
          node.kind === 'to-topic'
            ? await topicOutput(node, this.partitions(node.topic), this.environment)
            : this.rowsOutput(node),
        )
    }
    const name = source.kind === 'source' ? source.topic : source.name
    return {
      kind: 'processing',
      name,
      label: `${source.kind} "${name}"`,
      sub,
      topic,
      input:
        source.kind === 'source' ? this.sourceInput(source, sub) : this.repartitionInput(source, topic, aggregates),
      aggregates,
      outputs,
      writers,
      markerFingerprint: source.kind === 'repartition' ? markerFingerprint(source).toString('latin1') : '',
    }
  }

  private sourceInput(source: Extract<Node, { kind: 'source' }>, sub: SubTopology): SourceInput {
    const { serde } = this.environment
    const needed = readsKey([...sub.nodes, ...sub.outputs])
    const keys = needed && !source.key ? new KeyCodec(keyShape(source)!, 'utf8', serde) : undefined
    return sourceInput(source, keys, serde)
  }

  private repartitionInput(
    source: RepartitionNode,
    topic: string,
    aggregates: ReadonlyMap<Node, AggregateProgram>,
  ): RepartitionInput {
    const { serde, schemaOf } = this.environment
    const upstream = this.subs.find(sub => sub.outputs.includes(source)) as SubTopology
    const byFingerprint = new Map([...aggregates.values()].map(a => [a.fingerprint.toString('latin1'), a.node as Node]))
    const raw = rawValue(source, this.readers, this.environment.serde)
    const decoders = new Map<string, (data: Buffer, start: number, end: number) => unknown>()
    const decoder = (codec: AvroCodec, writer?: AvroSchema) => {
      const decode = writer === undefined ? codec.decode : codec.reading(writer)
      return (data: Buffer, start: number, end: number) =>
        raw!.values.fromAvro(decode(data, start, end) as Record<string, unknown>)
    }
    if (raw) decoders.set(raw.codec.fingerprint.toString('latin1'), decoder(raw.codec))
    return {
      kind: 'repartition',
      keys: new KeyCodec(keyShape(source)!, 'avro', serde),
      laneTopic: inputTopic(this.plan.group, upstream),
      aggregateOf(fingerprint) {
        const known = byFingerprint.get(fingerprint)
        if (known) return known
        const entry = schemaOf(fingerprint)
        return [...aggregates.keys()].find(node => (node as AggregateNode).name === entry?.node)
      },
      rawDecoder(fingerprint) {
        const known = decoders.get(fingerprint)
        const entry = known ? undefined : schemaOf(fingerprint)
        if (known || !raw || entry?.node !== topic) return known
        const old = decoder(raw.codec, entry.schema)
        decoders.set(fingerprint, old)
        return old
      },
    }
  }

  private aggregate(node: AggregateNode | ReduceNode, sub: SubTopology): AggregateProgram {
    const known = this.aggregates.get(node)
    if (known) return known
    const { serde } = this.environment
    const input = node.inputs[0] as Node
    const fields = valueShape(input)
    const program =
      node.kind === 'reduce'
        ? MeasureProgram.ofReduce(node, recordSchema('Value', fields!), fieldValues(fields!), serde)
        : MeasureProgram.ofAggregate(node, fields, serde)
    const key = keyShape(node)!
    const window = windowOf(node)!
    const meaning = {
      key: key.map(column => `${column.name} ${column.type}`),
      window: [window.type, finite(window.size), finite(window.advance)],
      ...Object.fromEntries(Object.entries(program.signatures).map(([name, is]) => [`measure ${name}`, is])),
    }
    const entry: CatalogueEntry = { node: node.name, schema: program.schema, meaning }
    const fingerprint = fingerprintOf(entry)
    this.catalogue.set(fingerprint.toString('latin1'), entry)
    const fromSource = sub.source.kind === 'source' && !sub.source.key
    const aggregate: AggregateProgram = {
      node,
      window,
      program,
      keys: new KeyCodec(key, fromSource ? 'utf8' : 'avro', serde),
      changelog: changelogTopic(this.plan.group, node),
      combined: sub.source.kind === 'repartition' && combinable(sub.source, node),
      lag: lagOf(input, sub.source),
      fingerprint,
      entry,
    }
    this.aggregates.set(node, aggregate)
    return aggregate
  }

  /** The windows of all tables that get their records through this node, however far downstream. */
  private closesBehind(node: Node, lag = 0): Closes[] {
    return (this.readers.get(node) ?? []).flatMap(reader => {
      if (reader.kind !== 'aggregate' && reader.kind !== 'reduce') return this.closesBehind(reader, lag)
      const window = windowOf(reader)!
      return [{ window, lag }, ...this.closesBehind(reader, lag + lagOfWindow(window))]
    })
  }

  private repartitionWriter(node: RepartitionNode, laneTopic: string, sub: SubTopology): RepartitionWriter {
    const { serde, producer, now } = this.environment
    const topic = repartitionTopic(this.plan.group, node)
    const downstream = this.subs.find(sub => sub.source === node) as SubTopology
    const aggregates = downstream.nodes.filter(n => n.kind === 'aggregate' || n.kind === 'reduce')
    const programs = aggregates.map(n => this.aggregate(n, downstream))
    const raw = rawValue(node, this.readers, this.environment.serde)
    if (raw) {
      const entry = { node: topic, schema: raw.codec.schema, meaning: {} }
      this.catalogue.set(raw.codec.fingerprint.toString('latin1'), entry)
    }
    const { markerInterval } = this.topology.options
    return new RepartitionWriter(
      node,
      topic,
      this.partitions(topic),
      new KeyCodec(keyShape(node)!, 'avro', serde),
      programs.filter(p => p.combined).map(p => new Combiner(p.window, p.program, p.fingerprint)),
      raw,
      new MarkerWriter(
        { topic: laneTopic, count: this.partitions(laneTopic) },
        this.closesBehind(node),
        lagOf(node.inputs[0] as Node, sub.source),
        markerInterval,
      ),
      markerFingerprint(node),
      producer,
      now,
    )
  }

  private rowsProgram(node: WarehouseSinkNode): RowsProgram {
    const { serde, schemaOf, topics } = this.environment
    const topic = rowsTopic(this.plan.group, node)
    return rowsProgram(node, this.plan.namespace, topic, topics.get(topic)?.id, this.partitions(topic), serde, schemaOf)
  }

  private rowsOutput(node: WarehouseSinkNode): RowsOutput {
    const { serde, producer, now } = this.environment
    const topic = rowsTopic(this.plan.group, node)
    const { key, measures } = rowFields(node)
    const codec = serde.codec(recordSchema('Row', measures))
    this.catalogue.set(codec.fingerprint.toString('latin1'), { node: topic, schema: codec.schema, meaning: {} })
    const keys = { values: fieldValues(key), codec: serde.codec(recordSchema('Key', key)) }
    return new RowsOutput(
      node,
      topic,
      this.partitions(topic),
      keys,
      { values: fieldValues(measures), codec },
      producer,
      now,
    )
  }
}

function markerFingerprint(node: RepartitionNode): Buffer {
  return fingerprintOf({ marker: node.name, by: node.by.map(column => column.name) })
}

/**
 * How far the rows that reach a node lie behind the time of its task: a table on the way holds a row back until its
 * window closed, which is size + grace behind the window's start.
 */
function lagOf(node: Node, source: Node): number {
  if (node === source) return 0
  const lag = lagOf(node.inputs[0] as Node, source)
  return node.kind === 'aggregate' || node.kind === 'reduce' ? lag + lagOfWindow(windowOf(node)!) : lag
}

function lagOfWindow({ size, grace }: WindowSpec): number {
  return finite(size) + grace
}

/** JSON has no infinity: the size of the global window is 0 here. */
function finite(milliseconds: number): number {
  return Number.isFinite(milliseconds) ? milliseconds : 0
}
