import Table from 'cli-table3'
import type { Logger } from 'pino'
import { topicCommand } from '../log/kafka/topic-command.js'
import { MillraceError, messageOf } from '../model/errors.js'
import type { Log, TopicDescription } from '../ports/log.js'
import { sourceTopics, surveyTopics } from '../runtime/prepare-topics.js'
import { planTopics, type TopicPlan } from '../runtime/topic-plan.js'
import { type DescribedTopic, describe } from '../topology/describe.js'
import { warehousePermitsTopic } from '../topology/names.js'
import type { Topology } from '../topology/node.js'
import { openKafka } from './adapters.js'
import type { Io } from './io.js'
import type { KafkaFlags } from './options.js'
import { soundTopologies } from './sound-topologies.js'

export type TopicsFormat = 'table' | 'json' | 'commands'

export interface TopicsOptions extends KafkaFlags {
  readonly namespace?: string
  readonly dryRun: boolean
  readonly format: TopicsFormat
  /** Partitions of source topics that do not exist, or that no broker is asked for. */
  readonly partitions: Readonly<Record<string, number>>
  /** Partitions of the topic of permits, where a topology writes to a warehouse. */
  readonly warehouseSessions: number
}

/** A topic that a topology reads or writes. */
interface TopicRow {
  /** The topology's name; of the permits' topic, the names of all that share it, joined by `+`. */
  readonly topology: string
  readonly topic: string
  readonly purpose: 'source' | 'output' | 'warehouse permits' | DescribedTopic['purpose']
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
  /** `unknown` where no broker was asked; a source topic that is `missing` is created by nobody here. */
  readonly state: 'exists' | 'missing' | 'created' | 'differs' | 'unknown'
  /** Partitions of the topic that exists. */
  readonly found?: number
}

/** What commands name where no broker is given. */
const BROKERS = 'BROKER:9092'

/**
 * `millrace topics FILE…`: creates the topics that topologies need, or prints them with `--dry-run`.
 * @returns the exit code: 0, or 1 where a topic exists with another number of partitions; then nothing is created.
 * @throws MillraceError MISSING_TOPIC, INVALID_OPTION; LogError where topics may not be created.
 */
export async function topicsCommand(
  files: readonly string[],
  options: TopicsOptions,
  { io, logger }: { readonly io: Io; readonly logger: Logger },
): Promise<number> {
  const { kafka, dryRun, format, namespace } = options
  const counts = new Map(Object.entries(options.partitions))
  if (kafka === undefined && !dryRun) {
    throw new MillraceError(
      'INVALID_OPTION',
      'No broker is given, so nothing can be created. Pass --kafka, or print what is needed with --dry-run.',
    )
  }
  const topologies = await soundTopologies(files)
  const rows: TopicRow[] = []
  const mismatches: MillraceError[] = []
  const log = kafka === undefined ? undefined : await openKafka({ ...options, kafka }, logger)
  try {
    for (const topology of topologies) {
      if (log === undefined) {
        requireCounts(topology, counts)
        rows.push(...rowsOf(topology, planTopics(topology, counts, namespace)))
        continue
      }
      const { plan, existing, missing, mismatch } = await surveyTopics(log, topology, namespace, counts)
      if (mismatch) mismatches.push(mismatch)
      else if (!dryRun) await log.createTopics(missing)
      const created = dryRun || mismatch ? [] : missing.map(({ name }) => name)
      rows.push(...rowsOf(topology, plan, existing, new Set(created)))
    }
    const writers = topologies.filter(({ outputs }) => outputs.some(({ kind }) => kind === 'to-warehouse'))
    if (writers.length > 0) rows.push(await permitsRow(writers, options, log, !dryRun && mismatches.length === 0))
  } finally {
    await log?.close()
  }
  io.out(formatted(rows, format, kafka ?? BROKERS))
  for (const mismatch of mismatches) io.err(messageOf(mismatch))
  return mismatches.length === 0 ? 0 : 1
}

/** The topic of permits for sessions in the warehouse. Any number of partitions is right: it is what workers keep to. */
async function permitsRow(
  writers: readonly Topology[],
  { namespace, warehouseSessions }: Pick<TopicsOptions, 'namespace' | 'warehouseSessions'>,
  log: Log | undefined,
  create: boolean,
): Promise<TopicRow> {
  const spec = { name: warehousePermitsTopic(namespace), partitions: warehouseSessions, config: {} }
  const found = (await log?.describeTopics([spec.name]))?.get(spec.name)?.partitions
  const created = create && log !== undefined && found === undefined
  if (created) await log.createTopics([spec])
  const state = log === undefined ? 'unknown' : created ? 'created' : found === undefined ? 'missing' : 'exists'
  const topology = writers.map(({ name }) => name).join('+')
  const row = { topology, topic: spec.name, purpose: 'warehouse permits', config: {}, state } as const
  return found === undefined ? { ...row, partitions: spec.partitions } : { ...row, partitions: found, found }
}

function requireCounts(topology: Topology, counts: ReadonlyMap<string, number>): void {
  const unknown = sourceTopics(topology).filter(topic => !counts.has(topic))
  if (unknown.length === 0) return
  throw new MillraceError(
    'INVALID_OPTION',
    `Topology "${topology.name}" reads ${unknown.map(topic => `"${topic}"`).join(', ')}, and nobody says how many partitions there are. Pass ${unknown.map(topic => `--partitions ${topic}=8`).join(' ')}, or --kafka to ask the broker.`,
  )
}

function rowsOf(
  topology: Topology,
  plan: TopicPlan,
  existing?: ReadonlyMap<string, TopicDescription>,
  created: ReadonlySet<string> = new Set(),
): readonly TopicRow[] {
  const described = describe(topology, plan.namespace === undefined ? {} : { namespace: plan.namespace })
  const purposes = new Map(described.internalTopics.map(({ name, purpose }) => [name, purpose]))
  const row = (topic: string, purpose: TopicRow['purpose'], config: TopicRow['config'], count: number): TopicRow => {
    const found = existing?.get(topic)?.partitions
    const any = purpose === 'output' || purpose === 'dead letters'
    const present = found === undefined ? 'missing' : found === count || any ? 'exists' : 'differs'
    const state = existing === undefined ? 'unknown' : created.has(topic) ? 'created' : present
    const shown = { topology: topology.name, topic, purpose, partitions: count, config, state } as const
    return found === undefined ? shown : { ...shown, found }
  }
  return [
    ...sourceTopics(topology).map(topic => row(topic, 'source', {}, plan.partitions.get(topic) as number)),
    ...plan.internal.map(({ name, config, partitions }) =>
      row(name, purposes.get(name) as DescribedTopic['purpose'], config, partitions),
    ),
    ...plan.outputs.map(({ name, config, partitions }) => row(name, 'output', config, partitions)),
  ]
}

function formatted(rows: readonly TopicRow[], format: TopicsFormat, brokers: string): string {
  switch (format) {
    case 'table':
      return tableOf(rows)
    case 'json':
      return JSON.stringify(rows, null, 2)
    case 'commands':
      return commandsOf(rows, brokers)
    default:
      return format satisfies never
  }
}

function tableOf(rows: readonly TopicRow[]): string {
  const table = new Table({
    head: ['topic', 'purpose', 'partitions', 'settings', 'state'],
    style: { head: [], border: [] },
  })
  for (const { topic, purpose, partitions, config, state, found } of rows) {
    const settings = Object.entries(config).map(([key, value]) => `${key}=${value}`)
    const shown = state === 'differs' ? `differs: has ${found}` : state
    table.push([topic, purpose, partitions, settings.join('\n'), shown])
  }
  return table.toString()
}

/** Lines for a shell. Source topics belong to others: where one is missing, a comment says so. */
function commandsOf(rows: readonly TopicRow[], brokers: string): string {
  const lines = rows.flatMap(({ topic: name, purpose, partitions, config, state }) => {
    if (state === 'exists' || state === 'created') return []
    if (state === 'differs') return [`# ${name} exists with another number of partitions.`]
    if (purpose !== 'source') return [topicCommand({ name, partitions, config }, brokers)]
    return state === 'missing' ? [`# The source topic ${name} does not exist.`] : []
  })
  return [...new Set(lines)].join('\n')
}
